import { describe, expect, test } from 'vitest'
import { runCampaign } from './support/campaign.ts'
import { compareRequests, compareResponses, disagreement } from './support/disagreement.ts'
import { latin1, readRequests } from './support/reading.ts'
import { readWithLlhttp } from './support/llhttp.ts'

/** Enough to meet every rule of the grammar many times; the long run is `test/fuzz.ts`. */
const INPUTS = 20_000

describe('the codec beside llhttp', () => {
  test.each([1, 2])('accepts nothing that llhttp refuses or frames differently (seed %i)', (seed) => {
    const tally = runCampaign(INPUTS / 2, seed)
    expect(tally.disagreements.slice(0, 5)).toEqual([])
    // A generator that writes only nonsense, or only what is right, would prove nothing.
    expect(tally.accepted).toBeGreaterThan(INPUTS / 2 / 6)
    expect(tally.rejected).toBeGreaterThan(INPUTS / 2 / 6)
    expect(tally.messages).toBeGreaterThan(tally.accepted)
  })

  test('finds the same disagreements again from the same seed', () => {
    const inputs = [runCampaign(200, 7), runCampaign(200, 7)]
    expect(inputs[0]).toEqual(inputs[1])
  })

  const whole = (bytes: Uint8Array): Uint8Array[] => [bytes]

  test('can tell when framing, fields or boundaries differ', () => {
    const text =
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const ours = readRequests([latin1(text)])
    const theirs = readWithLlhttp('requests', latin1(text))
    const [first, second] = theirs.messages
    if (first === undefined || second === undefined) throw new Error('llhttp did not read both')
    const changed = (change: object): string | undefined =>
      disagreement(ours, { ...theirs, messages: [{ ...first, ...change }, second] })
    expect(disagreement(ours, theirs)).toBeUndefined()
    expect(changed({ body: 'hell' })).toContain('body "hello" and "hell"')
    expect(changed({ start: 'POST /b' })).toContain('start "POST /a" and "POST /b"')
    expect(changed({ keepAlive: false })).toContain('the connection goes on')
    expect(changed({ fields: ['host: a'] })).toContain('fields "content-length: 5" and "(none)"')
    expect(changed({ trailers: ['x: y'] })).toContain('trailers')
    expect(changed({ isComplete: false })).toContain('complete, for llhttp it is not')
    expect(disagreement(ours, { ...theirs, messages: [first] })).toContain('message 1 (GET /) is accepted')
    expect(disagreement(ours, { ...theirs, messages: [first, second, second] })).toContain('llhttp sees 3')
    expect(disagreement(ours, { ...theirs, refusedWith: 'HPE_X' })).toContain(
      'all is accepted, llhttp says HPE_X',
    )
  })

  test.each([
    ['a tab after the coding', 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
    [
      'both framings',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('refuses requests with %s, as llhttp does', (_, text) => {
    expect(compareRequests(text, whole).ours.status).toBe(400)
    expect(readWithLlhttp('requests', latin1(text)).refusedWith).toBeDefined()
  })

  // Found by the differential run: each was accepted here and read differently by llhttp.
  test.each([
    ['101 that names no protocol', 'HTTP/1.1 101 x\r\n\r\n', 'UPGRADE'],
    ['100 that closes', 'HTTP/1.1 100 x\r\nConnection: close\r\n\r\nHTTP/1.1 204 \r\n\r\n', 'GET'],
    ['100 in HTTP/1.0', 'HTTP/1.0 100 x\r\n\r\nHTTP/1.1 204 \r\n\r\n', 'GET'],
    ['a tab after the coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n', 'GET'],
  ])('refuses a response with %s', (_, text, method) => {
    const { ours, disagreement: found } = compareResponses(text, [method], whole)
    expect([ours.status, found]).toEqual([502, undefined])
  })

  test('takes an empty Upgrade for none', () => {
    const text = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade:\r\n\r\n'
    const { ours, disagreement: found } = compareRequests(text, whole)
    expect([ours.messages[0]?.upgrade, found]).toEqual([false, undefined])
  })
})
