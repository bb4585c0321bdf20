import { resolveObject } from '@breakwater/contract'
import { VirtualClock } from '@breakwater/core'
import { Gateway } from '@breakwater/gateway'
import { describe, expect, test } from 'vitest'
import { RawClient } from '../drills/lab/raw-client.ts'
import { statusOf } from '../drills/lab/visitors.ts'
import { SimWorld } from '../drills/lab/world.ts'
import { USUAL, readNaively } from '../drills/smuggling/naive-http.ts'
import type { Quirks } from '../drills/smuggling/naive-http.ts'

const H = 'Host: shop\r\n'
const P = `POST /a HTTP/1.1\r\n${H}`
const G = `GET /a HTTP/1.1\r\n${H}`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const EMPTY = '0\r\n\r\n'

/** What proxies and servers are known to read in different ways. `legal`: to be passed on, and understood by all. */
const cases: readonly (readonly [name: string, bytes: string, legal?: 'legal'])[] = [
  ['a length and chunks', `${P}Content-Length: 5\r\n${CHUNKED}\r\n${EMPTY}`],
  ['chunks and a length', `${P}${CHUNKED}Content-Length: 5\r\n\r\n${EMPTY}`],
  ['two lengths that differ', `${P}Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc`],
  ['two lengths that agree', `${P}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ['a list of lengths', `${P}Content-Length: 3, 3\r\n\r\nabc`],
  ['a length with a sign', `${P}Content-Length: +3\r\n\r\nabc`],
  ['a length in hex', `${P}Content-Length: 0x3\r\n\r\nabc`],
  ['a negative length', `${P}Content-Length: -3\r\n\r\nabc`],
  ['an empty length', `${P}Content-Length:\r\n\r\n`],
  ['a length beyond all numbers', `${P}Content-Length: 99999999999999999999\r\n\r\n`],
  ['an unknown coding', `${P}Transfer-Encoding: xchunked\r\n\r\n${EMPTY}`],
  ['identity', `${P}Transfer-Encoding: identity\r\n\r\n`],
  ['chunked, not last', `${P}Transfer-Encoding: chunked, gzip\r\n\r\n${EMPTY}`],
  ['chunked twice', `${P}${CHUNKED}${CHUNKED}\r\n${EMPTY}`],
  ['a coding after a vertical tab', `${P}Transfer-Encoding: \u000bchunked\r\n\r\n${EMPTY}`],
  ['a space before the colon', `${P}Transfer-Encoding : chunked\r\n\r\n${EMPTY}`],
  ['an underscore in a framing name', `${P}Content_Length: 3\r\n\r\n`],
  ['a folded line', `${P}X-A: 1\r\n 2\r\n\r\n`],
  ['a bare LF', `${P}X-A: 1\nX-B: 2\r\n\r\n`],
  ['a bare CR', `${P}X-A: 1\rX-B: 2\r\n\r\n`],
  ['NUL in a value', `${P}X-A: a\0b\r\n\r\n`],
  ['a line without a colon', `${P}nothing\r\n\r\n`],
  ['a field without a name', `${P}: value\r\n\r\n`],
  ['no Host', 'GET /a HTTP/1.1\r\n\r\n'],
  ['two Hosts', `${G}Host: other\r\n\r\n`],
  ['an empty Host', 'GET /a HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a Host with a path', 'GET /a HTTP/1.1\r\nHost: shop/x\r\n\r\n'],
  ['another Host in the target', `GET http://other/a HTTP/1.1\r\n${H}\r\n`],
  ['HTTP/0.9', 'GET /a\r\n\r\n'],
  ['HTTP/1.10', `GET /a HTTP/1.10\r\n${H}\r\n`],
  ['HTTP/2.0', `GET /a HTTP/2.0\r\n${H}\r\n`],
  ['two spaces in the request line', `GET  /a HTTP/1.1\r\n${H}\r\n`],
  ['chunks in HTTP/1.0', `POST /a HTTP/1.0\r\n${H}${CHUNKED}\r\n${EMPTY}`],
  ['a space after a chunk size', `${P}${CHUNKED}\r\n3 \r\nabc\r\n${EMPTY}`],
  ['a chunk size with a prefix', `${P}${CHUNKED}\r\n0x3\r\nabc\r\n${EMPTY}`],
  ['a chunk longer than its size', `${P}${CHUNKED}\r\n3\r\nabcd\r\n${EMPTY}`],
  ['a framing field as a trailer', `${P}${CHUNKED}\r\n0\r\nContent-Length: 3\r\n\r\n`],
  ['a GET with a body', `${G}Content-Length: 3\r\n\r\nabc`, 'legal'],
  ['a GET with chunks', `${G}${CHUNKED}\r\n3\r\nabc\r\n${EMPTY}`, 'legal'],
  ['a DELETE with chunks', `DELETE /a HTTP/1.1\r\n${H}${CHUNKED}\r\n3\r\nabc\r\n${EMPTY}`, 'legal'],
  [
    'a length that Connection names',
    `${P}Connection: Content-Length\r\nContent-Length: 3\r\n\r\nabc`,
    'legal',
  ],
  ['a Host that Connection names', `${G}Connection: Host\r\n\r\n`, 'legal'],
  ['an expectation', `${P}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`, 'legal'],
  ['a chunk extension', `${P}${CHUNKED}\r\n3;a=b\r\nabc\r\n${EMPTY}`, 'legal'],
]

function only(wanted: 'legal' | undefined): (readonly [name: string, bytes: string])[] {
  return cases.filter(([, , legal]) => legal === wanted).map(([name, bytes]) => [name, bytes])
}

/** Readers that agree on nothing but what is unambiguous. */
const readers: readonly Quirks[] = [
  USUAL,
  { ...USUAL, prefers: 'length', length: 'last', numbers: 'any' },
  { ...USUAL, chunked: 'loose', names: 'cleaned', folds: 'joined', lineEnds: 'lf' },
  { ...USUAL, lineEnds: 'cr', folds: 'trimmed', chunkSize: 'any', host: 'last' },
  { ...USUAL, chunkSize: 'wrapped', host: 'absolute', paths: 'resolved', numbers: 'prefix' },
]

async function send(bytes: string): Promise<{ client: RawClient; recorded: string }> {
  const world = new SimWorld({ seed: 1, clock: new VirtualClock() })
  let recorded = ''
  await world.host('recorder').listen({ host: 'recorder', port: 80 }, (transport) => ({
    onBytes(chunk) {
      recorded += Buffer.from(chunk).toString('latin1')
      if (readNaively(recorded, USUAL) !== undefined)
        transport.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    },
    onDrain() {},
    onEnd() {},
    onClose() {},
  }))
  const resolved = resolveObject({
    admin: false,
    overload: false,
    listeners: { main: { host: '0.0.0.0', port: 8080 } },
    upstreams: { recorder: { endpoints: ['recorder:80'] } },
    routes: { all: { match: '/*', upstream: 'recorder' } },
  })
  if (!resolved.ok) throw new Error('the configuration is wrong')
  const gateway = await Gateway.open(resolved.value.config, {
    driver: world.host('gateway'),
    random: world.luck('gateway'),
    seed: 1,
  })
  const client = RawClient.open(world, 'client', { host: 'gateway', port: 8080 })
  client.write(bytes)
  await world.clock.advance(2000)
  await gateway.close()
  return { client, recorded }
}

describe('what a recorder behind the gateway gets of a message that servers read differently', () => {
  test.each(only(undefined))('nothing of %s, and its sender a refusal and a close', async (_name, bytes) => {
    const { client, recorded } = await send(bytes)
    expect(recorded).toBe('')
    expect(statusOf(client.received)).toBeGreaterThanOrEqual(400)
    expect(statusOf(client.received)).toBeLessThan(506)
    expect(client.received.match(/HTTP\/1\.1 [2-5]\d\d /g)).toHaveLength(1)
    expect(client.received.toLowerCase()).toContain('connection: close')
  })

  test.each(only('legal'))('%s as one message in which all readers see the same', async (_name, bytes) => {
    const { client, recorded } = await send(bytes)
    expect(statusOf(client.received)).toBe(200)
    const sent = readNaively(bytes, USUAL)?.request
    const bodies = readers.map((reader) => {
      const read = readNaively(recorded, reader)
      expect(read?.rest).toBe('')
      expect(read?.request).toMatchObject({ method: sent?.method, target: '/a', host: 'shop' })
      return read?.request.body
    })
    expect(new Set(bodies).size).toBe(1)
    expect(bodies[0]?.includes('abc')).toBe(sent?.body.includes('abc'))
  })
})
