import type { Authorizer } from '../engine/authorizer.ts'
import type { Decision } from '../engine/decision.ts'
import type { JoinedPolicies } from '../bundle/policy-content.ts'
import { CoverageMeter, coverageRatio, type Coverage } from './coverage.ts'
import { requestOf } from './question.ts'
import type { Expectation, PolicyTest, PolicyTestFile } from './read-tests.ts'

/** One test and what became of it. */
export interface PolicyTestResult {
  readonly file: string
  readonly name: string
  /** What differs from the expectation, one sentence each. Empty: passed. */
  readonly differences: readonly string[]
  /** The decision in words, of a test that failed. */
  readonly explanation?: string
}

/** The outcome of all tests. */
export interface PolicyTestReport {
  readonly results: readonly PolicyTestResult[]
  readonly failed: number
  readonly coverage: Coverage
}

/** Where the policies of a test run come from: each file gets a fresh authorizer, so that no file sees another's entities. */
export interface PolicyTestDeps {
  readonly joined: JoinedPolicies
  readonly open: () => Authorizer
}

/**
 * Runs test files against policies.
 *
 * @throws `BW_AUTHZ_TEST_INVALID`, `BW_AUTHZ_DATA_INVALID` for entities that do not fit the schema.
 */
export function runPolicyTests(files: readonly PolicyTestFile[], deps: PolicyTestDeps): PolicyTestReport {
  const results: PolicyTestResult[] = []
  let coverage: Coverage = new CoverageMeter(deps.open()).result()
  for (const file of files) {
    const authorizer = deps.open()
    authorizer.store.apply({ upsert: file.entities })
    const meter = new CoverageMeter(authorizer)
    for (const test of file.tests) results.push(runTest(test, file, authorizer, meter, deps.joined))
    coverage = sum(coverage, meter.result())
  }
  return { results, failed: results.filter((one) => one.differences.length > 0).length, coverage }
}

function runTest(
  test: PolicyTest,
  { file, context }: PolicyTestFile,
  authorizer: Authorizer,
  meter: CoverageMeter,
  joined: JoinedPolicies,
): PolicyTestResult {
  const request = requestOf(test, context, authorizer.store.schema)
  const decision = authorizer.decide(request)
  if (decision.failure === undefined) meter.add(request)
  const differences = differencesOf(test.expect, decision)
  const isFailed = differences.length > 0
  const words = decision.failure?.message ?? (isFailed ? authorizer.explain(request).text : '')
  return {
    file,
    name: test.name,
    differences,
    ...(isFailed && { explanation: joined.withPlaces(words) }),
  }
}

function differencesOf(expect: Expectation, decision: Decision): string[] {
  const { reasons, errors, failure, obligations } = decision
  const rows: (readonly [string, readonly string[] | undefined, readonly string[]])[] = [
    ['decision', [expect.decision], [decision.decision]],
    ['because', expect.because, reasons],
    ['errors', expect.errors, errors.map(({ policyId }) => policyId)],
    [
      'failure',
      expect.failure === undefined ? [] : [expect.failure],
      failure === undefined ? [] : [failure.code],
    ],
    ['obligations', expect.obligations, obligations.map(({ name, value }) => `${name}=${value}`)],
  ]
  return rows.flatMap(([what, wanted, got]) => {
    if (wanted === undefined || same(wanted, got)) return []
    return [`${what}: expected ${listed(wanted)}, got ${listed(got)}`]
  })
}

const sorted = (items: readonly string[]): readonly string[] => [...new Set(items)].sort()
const same = (a: readonly string[], b: readonly string[]): boolean =>
  sorted(a).join('\n') === sorted(b).join('\n')
const listed = (items: readonly string[]): string => (items.length === 0 ? 'none' : sorted(items).join(', '))

/** Coverage of two runs of the same policies. */
function sum(a: Coverage, b: Coverage): Coverage {
  const policies = a.policies.map((one, index) => {
    const other = b.policies[index] ?? one
    return {
      ...one,
      applied: one.applied + other.applied,
      satisfied: one.satisfied + other.satisfied,
      conditions: one.conditions.map((condition, at) => ({
        ...condition,
        whenTrue: condition.whenTrue + (other.conditions[at]?.whenTrue ?? 0),
        whenFalse: condition.whenFalse + (other.conditions[at]?.whenFalse ?? 0),
      })),
    }
  })
  return { policies, ratio: coverageRatio(policies) }
}
