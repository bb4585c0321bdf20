import type { EntityInput } from '../entities/read-entities.ts'
import type { ContextInput, Question } from './question.ts'
import { badInput, fieldsOf, listOf, textOf, textsOf } from './read-input.ts'

/** What a test wants to see. What is left out is not looked at. */
export interface Expectation {
  readonly decision: 'allow' | 'deny'
  /** Ids of exactly the policies that determine it. */
  readonly because?: readonly string[]
  /** Ids of exactly the policies that fail. Left out: none may. */
  readonly errors: readonly string[]
  /** Code of the refusal before any policy. Left out: there may be none. */
  readonly failure?: string
  /** Exactly these, as `name=value`. */
  readonly obligations?: readonly string[]
}

/** One request and what is expected of it. */
export interface PolicyTest extends Question {
  readonly name: string
  readonly expect: Expectation
}

/** A file of tests. */
export interface PolicyTestFile {
  readonly file: string
  /** Filled into the context of every test whose action knows the name. */
  readonly context: ContextInput
  /** Added to the entities of the policies for this file. */
  readonly entities: readonly EntityInput[]
  readonly tests: readonly PolicyTest[]
}

const FILE_KEYS = ['context', 'entities', 'tests']
const TEST_KEYS = [
  'name',
  'principal',
  'action',
  'resource',
  'context',
  'expect',
  'because',
  'errors',
  'failure',
  'obligations',
]

/**
 * Understands a test file that YAML or JSON has been read from.
 *
 * @throws `BW_AUTHZ_TEST_INVALID` with the place of the first fault.
 */
export function readPolicyTests(value: unknown, file: string): PolicyTestFile {
  const fields = fieldsOf(value, file, FILE_KEYS)
  const tests = listOf(fields['tests'], `${file}: tests`).map((test, index) =>
    readTest(test, `${file}: tests[${index}]`),
  )
  if (tests.length === 0) throw badInput(file, 'there is no test in it')
  return {
    file,
    context: contextOf(fields['context'], `${file}: context`),
    entities: listOf(fields['entities'], `${file}: entities`) as readonly EntityInput[],
    tests,
  }
}

function readTest(value: unknown, where: string): PolicyTest {
  const fields = fieldsOf(value, where, TEST_KEYS)
  const text = (key: string): string => textOf(fields[key], `${where}.${key}`)
  const decision = text('expect')
  if (decision !== 'allow' && decision !== 'deny') {
    throw badInput(`${where}.expect`, `${JSON.stringify(decision)} is neither allow nor deny`)
  }
  const { because, failure, obligations } = fields
  return {
    name: text('name'),
    principal: text('principal'),
    action: text('action'),
    resource: text('resource'),
    context: contextOf(fields['context'], `${where}.context`),
    expect: {
      decision,
      errors: textsOf(fields['errors'], `${where}.errors`),
      ...(because !== undefined && { because: textsOf(because, `${where}.because`) }),
      ...(failure !== undefined && { failure: text('failure') }),
      ...(obligations !== undefined && { obligations: textsOf(obligations, `${where}.obligations`) }),
    },
  }
}

export function contextOf(value: unknown, where: string): ContextInput {
  return value === undefined ? {} : (fieldsOf(value, where) as ContextInput)
}
