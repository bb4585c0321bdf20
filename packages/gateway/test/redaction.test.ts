import { describe, expect, test } from 'vitest'

import { LegacyStand, chunked, codeIn, json } from './support/legacy.ts'

const MASKING = { answer: true } as const
const ORDER = '{"id":"o1","card":"4111","price":12.50,"no":9223372036854775807,"items":[{"card":1,"n":1e2}]}'
const MASKED = '{"id":"o1","price":12.50,"no":9223372036854775807,"items":[{"n":1e2}]}'

describe('a gateway that masks by itself', () => {
  test('leaves out what the decision masks, at any depth, and changes no digit of the rest', async () => {
    const stand = await LegacyStand.open(MASKING)
    const answer = await stand.askFor(json(ORDER))
    expect([answer.status, answer.body]).toEqual([200, MASKED])
    expect(answer.fields.get('content-length')).toBe(String(MASKED.length))
    expect(answer.fields.get('content-type')).toBe('application/json')
    expect(stand.sent('x-authenticated-obligations')).toBeUndefined()
  })

  test('leaves the answer alone for whoever may see all of it', async () => {
    const stand = await LegacyStand.open(MASKING)
    const answer = await stand.askFor(json(ORDER, ['ETag: "1"']), 'bill', 'GET', ['If-None-Match: "1"'])
    expect([answer.status, answer.body, answer.fields.get('etag')]).toEqual([200, ORDER, '"1"'])
    expect(stand.sent('if-none-match')).toBe('"1"')
  })

  test('asks for all of it in plain bytes, whatever the client asked for', async () => {
    const stand = await LegacyStand.open(MASKING)
    const fields = [
      'Range: bytes=0-5',
      'If-Range: "1"',
      'If-None-Match: "1"',
      'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
      'If-Match: "1"',
      'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
      'Accept-Encoding: gzip, br',
      'Accept: application/json',
    ]
    await stand.ask('sue', 'GET', fields)
    expect(stand.heads[0]).not.toMatch(/^(range|if-)/im)
    expect([stand.sent('accept-encoding'), stand.sent('accept')]).toEqual(['identity', 'application/json'])
  })

  test('lets the condition of a write stand: without it an update of somebody else would be lost', async () => {
    const stand = await LegacyStand.open(MASKING)
    await stand.ask('sue', 'PUT', ['If-Match: "1"', 'Range: bytes=0-1', 'Content-Length: 0'])
    expect([stand.sent('if-match'), stand.sent('range')]).toEqual(['"1"', undefined])
  })

  test('passes nothing on that describes or names the bytes of the service', async () => {
    const stand = await LegacyStand.open(MASKING)
    const fields = [
      'ETag: "1"',
      'Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT',
      'Content-MD5: x',
      'Digest: x',
      'Content-Digest: x',
      'Repr-Digest: x',
      'Accept-Ranges: bytes',
      'Content-Encoding: identity',
      'Expires: Thu, 01 Jan 1970 00:00:00 GMT',
      'Cache-Control: public, max-age=60',
      'X-Kept: yes',
    ]
    const answer = await stand.askFor(json(ORDER, fields))
    expect([...answer.fields.keys()].sort()).toEqual(
      [
        'cache-control',
        'connection',
        'content-length',
        'content-type',
        'via',
        'x-kept',
        'x-request-id',
      ].sort(),
    )
    expect(answer.fields.get('cache-control')).toBe('no-store')
  })

  test('masks what the service says of errors as well', async () => {
    const stand = await LegacyStand.open(MASKING)
    for (const status of ['404 Not Found', '500 Oops', '302 Found']) {
      const answer = await stand.askFor(json('{"card":"4111","why":1}', [], status))
      expect([answer.status, answer.body]).toEqual([Number(status.slice(0, 3)), '{"why":1}'])
    }
  })

  test.each([
    ['text', 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n4111'],
    ['no word of what it is', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n4111'],
    ['another alphabet', json(ORDER).replace('json', 'json; charset=utf-16')],
    ['two types', json(ORDER, ['Content-Type: text/html'])],
    ['something encoded', json(ORDER, ['Content-Encoding: gzip'])],
    ['a part', json(ORDER, ['Content-Range: bytes 0-5/9'], '206 Partial Content')],
    ['that nothing has changed', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'],
    ['half a document', json('{"card":"4111"')],
    ['a key twice', json('{"id":1,"a":{"card":1,"c\\u0061rd":2}}')],
    ['bytes that are not UTF-8', json('{"id":"#"}').replace('#', '\xe9')],
    ['a stream of events', 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 4111\n\n'],
  ])('refuses an answer that is %s', async (_, bytes) => {
    const stand = await LegacyStand.open(MASKING)
    const answer = await stand.askFor(bytes)
    expect([answer.status, codeIn(answer)]).toEqual([502, 'BW_GATEWAY_ANSWER_UNREADABLE'])
    expect(answer.body).not.toContain('4111')
    expect(answer.fields.get('breakwater-fault')).toBe('upstream')
  })

  test('reads no more than it is told to, whether the length is announced or not', async () => {
    const stand = await LegacyStand.open({ answer: { maxAnswer: '1KiB' } })
    const long = `{"card":"4111","x":"${'x'.repeat(1024)}"}`
    for (const bytes of [json(long), chunked(long, 100), json(long).replace(/Content-Length: \d+\r\n/, '')]) {
      const answer = await stand.askFor(bytes)
      expect([answer.status, codeIn(answer)]).toEqual([502, 'BW_GATEWAY_ANSWER_TOO_LARGE'])
      expect(answer.fields.get('breakwater-fault')).toBe('policy')
    }
    expect((await stand.askFor(json(`{"card":1,"x":"${'x'.repeat(900)}"}`))).status).toBe(200)
  })

  test('tells a HEAD nothing of how long the answer of the service is', async () => {
    const stand = await LegacyStand.open(MASKING)
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 77\r\nETag: "1"\r\n\r\n'
    const answer = await stand.askFor(head, 'sue', 'HEAD')
    expect(answer.status).toBe(200)
    expect([answer.fields.get('content-length'), answer.fields.get('etag')]).toEqual([undefined, undefined])
    expect((await stand.askFor(head, 'bill', 'HEAD')).fields.get('content-length')).toBe('77')
  })

  test('passes on an answer without a body', async () => {
    const stand = await LegacyStand.open(MASKING)
    const none = await stand.askFor('HTTP/1.1 204 No Content\r\nETag: "1"\r\n\r\n')
    expect([none.status, none.body, none.fields.has('etag')]).toEqual([204, '', false])
    const empty = await stand.askFor('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
    expect([empty.status, empty.body, empty.fields.get('content-length')]).toEqual([404, '', '0'])
  })

  test('passes no trailers on and no early hints', async () => {
    const stand = await LegacyStand.open(MASKING)
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </orders/o3>; rel=preload\r\n\r\n'
    stand.serve = (transport) => transport.write(hints + chunked(ORDER, 10, 'X-Card: 4111\r\n'))
    const { text } = await stand.shop.ask('GET', '/legacy/acme', { person: 'sue' })
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).not.toMatch(/4111|preload/)
  })

  test('refuses obligations that it does not know, as before', async () => {
    const policies = '@obligation_dance("now") permit (principal, action, resource);'
    const stand = await LegacyStand.open(MASKING, { policies })
    expect(codeIn(await stand.askFor(json(ORDER)))).toBe('BW_GATEWAY_OBLIGATION_UNKNOWN')
    expect(stand.heads).toEqual([])
  })

  test('in dark mode withholds nothing', async () => {
    const stand = await LegacyStand.open(MASKING, { authorization: { mode: 'dark' } })
    expect((await stand.askFor(json(ORDER))).body).toBe(ORDER)
  })
})
