import { createRandom } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { authorityCases } from './cases/authority.ts'
import type { ConformanceCase, ExpectedMessage } from './cases/case.ts'
import { chunkCases } from './cases/chunks.ts'
import { connectionCases } from './cases/connection.ts'
import { fieldCases } from './cases/fields.ts'
import { framingCases } from './cases/framing.ts'
import { limitCases } from './cases/limits.ts'
import { pathCases } from './cases/paths.ts'
import { requestLineCases } from './cases/request-line.ts'
import { responseFramingCases } from './cases/response-framing.ts'
import { responseHeadCases } from './cases/response-head.ts'
import { bytewise, latin1, readRequests, readResponses, splitAt } from './support/reading.ts'
import type { Message, ReadOptions, Reading } from './support/reading.ts'

const RANDOM_SPLITS = 8

const requestSuites: readonly (readonly [string, readonly ConformanceCase[]])[] = [
  ['the request line', requestLineCases],
  ['the authority', authorityCases],
  ['fields', fieldCases],
  ['framing', framingCases],
  ['chunks', chunkCases],
  ['the connection', connectionCases],
  ['paths', pathCases],
  ['limits', limitCases],
]

const responseSuites: readonly (readonly [string, readonly ConformanceCase[]])[] = [
  ['the head of a response', responseHeadCases],
  ['framing of responses', responseFramingCases],
]

/** Every way in which the bytes of a case may arrive. */
function arrivals(bytes: Uint8Array): [string, Uint8Array[]][] {
  const random = createRandom(bytes.length)
  return [
    ['whole', [bytes]],
    ['byte by byte', bytewise(bytes)],
    ...Array.from({ length: RANDOM_SPLITS }, (_, run): [string, Uint8Array[]] => [
      `in random pieces (${run})`,
      splitAt(bytes, random, 0.02 + random() * 0.4),
    ]),
  ]
}

const reduce = (message: Message, expected: ExpectedMessage | undefined): object => ({
  start: message.start,
  body: message.body,
  trailers: message.trailers,
  keepAlive: message.keepAlive,
  upgrade: message.upgrade,
  isComplete: message.isComplete,
  ...(expected?.fields === undefined ? {} : { fields: message.fields }),
})

const complete = (message: ExpectedMessage): object => ({
  body: '',
  trailers: [],
  keepAlive: true,
  upgrade: false,
  isComplete: true,
  ...message,
})

function check(
  { bytes, expected, limits, methods }: ConformanceCase,
  read: (pieces: readonly Uint8Array[], options: ReadOptions) => Reading,
): void {
  const options = {
    ...(limits === undefined ? {} : { limits }),
    ...(methods === undefined ? {} : { methods }),
  }
  const messages = 'status' in expected ? (expected.after ?? []) : expected
  const refusal = 'status' in expected ? { status: expected.status, isRightRule: true } : {}
  for (const [how, pieces] of arrivals(latin1(bytes))) {
    const reading = read(pieces, options)
    const got = reading.messages.map((message, index) => reduce(message, messages[index]))
    const isRightRule = 'status' in expected && expected.rules.some((rule) => rule === reading.rule)
    const outcome = reading.status === undefined ? {} : { status: reading.status, isRightRule }
    expect({ how, messages: got, ...outcome }, `${reading.rule ?? ''}: ${reading.details}`).toEqual({
      how,
      messages: messages.map(complete),
      ...refusal,
    })
  }
}

describe.each(requestSuites)('conformance: %s', (_, cases) => {
  test.each(cases)('$name ($rfc, $level)', (one) => check(one, readRequests))
})

describe.each(responseSuites)('conformance: %s', (_, cases) => {
  test.each(cases)('$name ($rfc, $level)', (one) => check(one, readResponses))
})

describe('the conformance cases', () => {
  const all = [...requestSuites, ...responseSuites].flatMap(([, cases]) => cases)

  test('are more than 150, each with its own name and its sentence of a specification', () => {
    expect(all.length).toBeGreaterThan(150)
    expect(new Set(all.map(({ name, bytes }) => `${name} ${bytes}`)).size).toBe(all.length)
    for (const { rfc, rule } of all) {
      expect(rfc).toMatch(/^RFC (3986|6455|9110|9112|9113) §\d/)
      expect(rule).toMatch(/^.{20,}[.]$/)
    }
  })
})
