import { describe, expect, test } from 'vitest'
import { resolveLimits } from '../codec/limits.ts'
import { RequestParser } from '../codec/request-parser.ts'
import type { RequestHead, ResponseHead } from '../messages.ts'
import { FieldList } from '../fields.ts'
import { Forwarding, requestFraming, responseFraming } from './forwarding.ts'
import type { Received } from './forwarding.ts'

function received(lines: string, remoteAddress = '203.0.113.9', secure = false, method = 'GET'): Received {
  let head: RequestHead | undefined
  const parser = new RequestParser(resolveLimits(), {
    onHead: (parsed) => (head = parsed),
    onData: () => undefined,
    onMessageEnd: () => undefined,
    onError: (error) => {
      throw error
    },
  })
  parser.feed(Buffer.from(`${method} / HTTP/1.1\r\nHost: shop.example\r\n${lines}\r\n`))
  return { request: head!, remoteAddress, secure }
}

const plain = (fields: FieldList): Record<string, string> => Object.fromEntries(fields)

/** Fields as the next hop reads them. */
function passedOn(forwarding: Forwarding, from: Received): Record<string, string> {
  const own = forwarding.hopLines(from).split('\r\n').slice(1)
  return {
    ...plain(forwarding.requestFields(from)),
    ...Object.fromEntries(own.map((line) => line.split(': '))),
  }
}

describe('fields between hops', () => {
  test('leaves behind what belongs to one connection', () => {
    const lines =
      'Connection: close, X-Debug\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nX-Debug: 1\r\nAccept: */*\r\n'
    const fields = new Forwarding().requestFields(received(lines))
    for (const name of ['connection', 'keep-alive', 'te', 'proxy-connection', 'x-debug'])
      expect(fields.has(name)).toBe(false)
    expect(fields.get('accept')).toBe('*/*')
  })

  test('does not let Connection take framing, routing or identity away', () => {
    const lines =
      'Connection: close, Content-Length, Host, Authorization, X-Forwarded-For, Cookie\r\nContent-Length: 2\r\nAuthorization: Basic x\r\nCookie: a=b\r\n'
    const fields = new Forwarding().requestFields(received(lines))
    for (const name of ['content-length', 'host', 'authorization', 'cookie'])
      expect(fields.has(name)).toBe(true)
  })

  test('believes no forwarded field of a stranger, in any spelling', () => {
    const lines =
      'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX_Forwarded_For: 127.0.0.1\r\n'
    const forwarding = new Forwarding({ trustedProxies: ['10.0.0.0/8'] })
    const request = received(lines)
    expect(passedOn(forwarding, request)).toEqual({
      host: 'shop.example',
      via: '1.1 breakwater',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example',
      forwarded: 'for=203.0.113.9;host=shop.example;proto=http',
    })
    expect(forwarding.clientAddress(request)).toBe('203.0.113.9')
  })

  test('extends what a trusted proxy says, and finds the client behind a chain of them', () => {
    const lines =
      'X-Forwarded-For: 6.6.6.6, 198.51.100.4, 10.1.1.1\r\nX-Forwarded-Proto: https\r\nVia: 1.1 edge\r\nForwarded: for=198.51.100.4\r\n'
    const forwarding = new Forwarding({ trustedProxies: ['10.0.0.0/8'], viaName: 'gate' })
    const request = received(lines, '::ffff:10.0.0.2')
    expect(passedOn(forwarding, request)).toMatchObject({
      via: '1.1 edge, 1.1 gate',
      'x-forwarded-for': '6.6.6.6, 198.51.100.4, 10.1.1.1, 10.0.0.2',
      'x-forwarded-proto': 'https',
      forwarded: 'for=198.51.100.4, for=10.0.0.2;host=shop.example;proto=http',
    })
    expect(forwarding.clientAddress(request)).toBe('198.51.100.4')
  })

  test('writes IPv6 addresses as RFC 7239 wants them', () => {
    const fields = passedOn(new Forwarding(), received('', '2001:db8::7', true))
    expect(fields['forwarded']).toBe('for="[2001:db8::7]";host=shop.example;proto=https')
    expect(fields['x-forwarded-for']).toBe('2001:db8::7')
  })

  test('passes trailers on only by name', () => {
    const trailers = FieldList.from([
      ['x-checksum', 'abc'],
      ['x-other', '1'],
    ])
    expect(new Forwarding().trailers(trailers)).toBeUndefined()
    expect(plain(new Forwarding({ trailers: ['X-Checksum'] }).trailers(trailers)!)).toEqual({
      'x-checksum': 'abc',
    })
  })

  test('refuses options that make no sense, all at once', () => {
    expect(
      () => new Forwarding({ trustedProxies: ['10.0.0.0/8', '10.0.0.0/33', 'localhost', '1.2.3.4/a'] }),
    ).toThrow('trustedProxies are not addresses or CIDR blocks: 10.0.0.0/33, localhost, 1.2.3.4/a')
    expect(() => new Forwarding({ viaName: 'a b' })).toThrow('viaName is not a token')
  })
})

describe('framing of what is sent on', () => {
  test('follows the request, and says zero where a body was expected', () => {
    expect(requestFraming(received('').request)).toEqual({ kind: 'none' })
    expect(requestFraming(received('', '::1', false, 'POST').request)).toEqual({ kind: 'length', bytes: 0 })
    expect(requestFraming(received('Content-Length: 3\r\n').request)).toEqual({ kind: 'length', bytes: 3 })
    expect(requestFraming(received('Transfer-Encoding: chunked\r\n').request)).toEqual({ kind: 'chunked' })
  })

  test('depends on framing alone, whatever the method', () => {
    // https://github.com/http-party/node-http-proxy/issues/1720: chunked DELETE and OPTIONS went on with Content-Length: 0.
    for (const method of ['DELETE', 'OPTIONS', 'GET']) {
      const { request } = received('Transfer-Encoding: chunked\r\n', '::1', false, method)
      expect(requestFraming(request)).toEqual({ kind: 'chunked' })
    }
    // https://github.com/fastify/fastify/issues/953: the length of a GET went on, its body did not.
    expect(requestFraming(received('Content-Length: 23\r\n').request)).toEqual({ kind: 'length', bytes: 23 })
  })

  test('turns a body that ends with the connection into chunks, and keeps the length that HEAD announces', () => {
    const head: ResponseHead = {
      status: 200,
      reason: 'OK',
      minorVersion: 1,
      fields: new FieldList(),
      body: 'close',
      contentLength: -1,
      declaredLength: -1,
      keepAlive: false,
    }
    expect(responseFraming(head)).toEqual({ kind: 'chunked' })
    expect(responseFraming({ ...head, body: 'none', contentLength: 0, declaredLength: 7 })).toEqual({
      kind: 'none',
      declaredBytes: 7,
    })
  })
})
