import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { childSpan, requestIdFrom, startTrace, traceparentOf } from './trace-context.ts'
import { parseTraceparent } from './traceparent.ts'
import { parseTracestate } from './tracestate.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const VALID = `00-${TRACE}-${SPAN}-01`

describe('traceparent', () => {
  test('is read as the specification writes it', () => {
    expect(parseTraceparent(VALID)).toEqual({ traceId: TRACE, parentId: SPAN, sampled: true })
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false)
  })

  test('reads only the sampled bit of the flags, and ignores those it does not know', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.sampled).toBe(true)
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled).toBe(false)
  })

  test('of a later version is read as far as version 00 knows it', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE)
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`)?.traceId).toBe(TRACE)
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.what`)).toBeUndefined()
  })

  test.each([
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', VALID.toUpperCase()],
    ['one character too many in version 00', `${VALID}0`],
    ['a tail in version 00', `${VALID}-01`],
    ['one character too few', VALID.slice(0, -1)],
    ['a letter beyond hex', `00-${TRACE.replace('f', 'g')}-${SPAN}-01`],
    ['a flag beyond hex', `00-${TRACE}-${SPAN}-0x`],
    ['other separators', VALID.replaceAll('-', '_')],
    ['two headers joined', `${VALID},${VALID}`],
    ['white space', ` ${VALID}`],
    ['nothing', ''],
  ])('is invalid with %s', (_what, value) => {
    expect(parseTraceparent(value)).toBeUndefined()
  })

  test('survives writing and reading for every pair of ids', () => {
    const hex = (digits: number): fc.Arbitrary<string> =>
      fc
        .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
        .map((bytes) => Buffer.from(bytes).toString('hex'))
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        fc.pre(/[^0]/.test(traceId) && /[^0]/.test(spanId))
        expect(parseTraceparent(traceparentOf({ traceId, spanId, sampled }))).toEqual({
          traceId,
          parentId: spanId,
          sampled,
        })
      }),
    )
  })
})

describe('tracestate', () => {
  test('goes on without white space and empty members', () => {
    expect(parseTracestate('rojo=00f067aa0ba902b7 ,\t congo=t61rcWkgMzE,,')).toBe(
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    )
    expect(parseTracestate('fw529a3039@dt=FfTd, a*/-_0= inner space ok')).toBe(
      'fw529a3039@dt=FfTd,a*/-_0= inner space ok',
    )
  })

  test.each([
    ['a key in upper case', 'Rojo=1'],
    ['a key twice', 'rojo=1,congo=2,rojo=3'],
    ['a member without a value', 'rojo'],
    ['an empty value', 'rojo='],
    ['an equals sign in the value', 'rojo=a=b'],
    ['a system id that is too long', 'tenant@abcdefghijklmno=1'],
    ['two at-signs', 'a@b@c=1'],
    ['a control character', 'rojo=a\u0001b'],
    ['a character beyond ASCII', 'rojo=\u00e9'],
    ['a key of 257 characters', `${'k'.repeat(257)}=1`],
    ['a value of 257 characters', `k=${'v'.repeat(257)}`],
    ['33 members', Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(',')],
    ['nothing', ''],
    ['only separators', ' , ,'],
  ])('is dropped whole with %s', (_what, value) => {
    expect(parseTracestate(value)).toBeUndefined()
  })

  test('gives up long members first, then the last ones, when it has more than 512 characters', () => {
    const small = Array.from({ length: 20 }, (_, n) => `k${String(n).padStart(2, '0')}=${'v'.repeat(20)}`)
    const long = `long=${'v'.repeat(200)}`
    expect(parseTracestate([...small.slice(0, 10), long, ...small.slice(10, 15)].join(','))).toBe(
      small.slice(0, 15).join(','),
    )
    const cut = parseTracestate(small.join(',')) ?? ''
    expect(cut).toBe(small.slice(0, 20).join(',').slice(0, cut.length))
    expect(cut.length).toBeLessThanOrEqual(512)
    expect(cut.split(',').every((member) => small.includes(member))).toBe(true)
  })

  test('is decided in linear time, whatever is sent', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ',', ' ', '@', '\t', '0'), maxLength: 600 }),
        (value) => {
          const once = parseTracestate(value)
          if (once !== undefined) expect(parseTracestate(once)).toBe(once)
        },
      ),
    )
    expect(parseTracestate(`k=${' '.repeat(2_000_000)}x`)).toBeUndefined()
  })
})

describe('a trace', () => {
  const randomHex = (bytes: number): string => 'ab'.repeat(bytes)

  test('is continued with a span of its own and the vendor state of the caller', () => {
    const trace = startTrace({ traceparent: VALID, tracestate: 'rojo=1' }, { randomHex })
    expect(trace).toEqual({
      traceId: TRACE,
      spanId: 'ab'.repeat(8),
      parentId: SPAN,
      sampled: true,
      tracestate: 'rojo=1',
    })
    expect(traceparentOf(trace)).toBe(`00-${TRACE}-${'ab'.repeat(8)}-01`)
  })

  test('goes on without the vendor state when that is invalid', () => {
    const trace = startTrace({ traceparent: VALID, tracestate: 'BAD' })
    expect(trace.traceId).toBe(TRACE)
    expect(trace).not.toHaveProperty('tracestate')
  })

  test('is new, and takes no vendor state, when the traceparent is invalid', () => {
    const trace = startTrace({ traceparent: 'ff', tracestate: 'rojo=1', sampled: false }, { randomHex })
    expect(trace).toEqual({ traceId: 'ab'.repeat(16), spanId: 'ab'.repeat(8), sampled: false })
  })

  test('never has an id of zeros, even when luck gives one', () => {
    expect(
      parseTraceparent(traceparentOf(startTrace({}, { randomHex: (bytes) => '00'.repeat(bytes) }))),
    ).toBeDefined()
  })

  test('has a new span under the same trace for each try', () => {
    const trace = startTrace({ traceparent: VALID })
    const child = childSpan(trace)
    expect([child.traceId, child.parentId]).toEqual([TRACE, trace.spanId])
    expect(child.spanId).not.toBe(trace.spanId)
  })
})

describe('a request id', () => {
  test('is the one of the caller when it is harmless', () => {
    expect(requestIdFrom('req-2024.11~a_b')).toBe('req-2024.11~a_b')
  })

  test.each([
    'short',
    'x'.repeat(129),
    'with space in it',
    'with"quote-in-it',
    'with\nline-feed',
    '-leading-dash',
    undefined,
  ])('is made here when the caller sends %j', (incoming) => {
    expect(requestIdFrom(incoming)).toMatch(/^[0-9a-f]{32}$/)
  })
})
