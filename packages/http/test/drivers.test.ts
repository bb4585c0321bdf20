import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { hasOpenssl, makeCertificate } from '@breakwater/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { echo, openRelay } from './support/relay.ts'
import type { PoolOptions } from '../src/client/options.ts'
import { FieldList } from '../src/fields.ts'
import type { ServerExchange } from '../src/server/exchange.ts'
import type { ServerOptions } from '../src/server/options.ts'
import { HttpServer } from '../src/server/server.ts'
import type { ConnectOptions, ListenOptions, Transport } from '../src/transport.ts'
import { openNetDriver } from '../src/net/driver.ts'
import type { NetDriver } from '../src/net/driver.ts'
import { DRIVER_KINDS } from './support/kinds.ts'

const HERE = { host: '127.0.0.1', port: 0 }
const drivers: NetDriver[] = []
let open: () => NetDriver = openNetDriver

function driver(): NetDriver {
  const opened = open()
  drivers.push(opened)
  return opened
}

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((opened) => opened.close()))
})

const serve = (
  onRequest: (exchange: ServerExchange) => void,
  listen: ListenOptions = HERE,
  options: ServerOptions = {},
) => HttpServer.open(driver(), listen, { onRequest }, options)

function say(exchange: ServerExchange, body: string | Buffer): void {
  exchange.sendHead(200, new FieldList(), { kind: 'length', bytes: body.length })
  exchange.sendData(Buffer.from(body))
  exchange.sendEnd()
}

async function proxy(upstream: ConnectOptions, poolOptions: PoolOptions = {}) {
  const relay = await openRelay(driver(), HERE, upstream, poolOptions)
  return { ...relay, url: `http://127.0.0.1:${relay.server.port}` }
}

/** Everything that a raw connection answers until it ends. */
async function raw(port: number, text: string, keepOpen = false): Promise<string> {
  const socket = connectSocket({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.write(text)
  if (!keepOpen) socket.end()
  let got = ''
  for await (const chunk of socket.setEncoding('latin1')) got += String(chunk)
  return got
}

describe.each(DRIVER_KINDS)('the $kind driver', ({ open: openKind }) => {
  beforeAll(() => {
    open = openKind
  })

  test('serves real clients over keep-alive connections', async () => {
    const server = await serve((exchange) => say(exchange, `you asked for ${exchange.request.path}`))
    for (const path of ['/a', '/b']) {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
      expect(await response.text()).toBe(`you asked for ${path}`)
    }
    expect(server.connections).toBeGreaterThan(0)
  })

  test('proxies bodies of many reads both ways, byte by byte the same', async () => {
    const upstream = await serve(echo)
    const { url, pool } = await proxy({ host: '127.0.0.1', port: upstream.port })
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
    const response = await fetch(url, { method: 'POST', body })
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
    const again = await fetch(url, { method: 'POST', body: 'small' })
    expect(await again.text()).toBe('small')
    expect(pool.counters).toMatchObject({ connectsTotal: 1, reusesTotal: 1 })
  })

  test('keeps memory bounded when the client does not read: the upstream is held back', async () => {
    let sent = 0
    const upstream = await serve((exchange) => {
      const chunk = Buffer.alloc(65_536)
      exchange.sendHead(200, new FieldList(), { kind: 'chunked' })
      const pump = (): void => {
        while (!exchange.done && exchange.sendData(chunk)) sent += chunk.length
      }
      exchange.onWritable = pump
      pump()
    })
    const { server } = await proxy({ host: '127.0.0.1', port: upstream.port })
    const socket: Socket = connectSocket({ host: '127.0.0.1', port: server.port })
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    let before = -1
    while (sent !== before) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    // What is under way stands in kernel buffers, ours are bounded.
    expect(sent).toBeLessThan(64 * 1024 * 1024)
    expect(sent).toBeGreaterThan(0)
    socket.destroy()
  })

  test('answers what it refuses, so that the client can read the answer before the close', async () => {
    const server = await serve((exchange) => say(exchange, 'never'))
    const got = await raw(
      server.port,
      `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${'x'.repeat(200_000)}`,
      true,
    )
    expect(got).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*BW_HTTP_HOST_INVALID/s)
  })

  test('answers a client that half-closes after its request', async () => {
    const server = await serve((exchange) => setTimeout(() => say(exchange, 'still here'), 20))
    expect(await raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/still here$/)
  })

  test('answers pipelined requests in order', async () => {
    const server = await serve((exchange) => setTimeout(() => say(exchange, exchange.request.path), 5))
    const requests = ['/r1', '/r2', '/r3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
    const got = await raw(server.port, requests)
    expect(got.match(/\/r\d/g)).toEqual(['/r1', '/r2', '/r3'])
  })

  test('joins a websocket-like tunnel through the proxy, with half-close', async () => {
    const upstream = await serve((exchange) => {
      const tunnel = exchange.upgrade('websocket')
      tunnel.attach(
        {
          onBytes: (bytes) => tunnel.transport.write(Buffer.from(bytes).toString('latin1').toUpperCase()),
          onDrain: () => undefined,
          onEnd: () => tunnel.transport.end(),
          onClose: () => undefined,
        },
        0,
      )
    })
    const { server } = await proxy({ host: '127.0.0.1', port: upstream.port })
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const got = await raw(server.port, `${head}hello`)
    expect(got).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nHELLO$/s)
  })

  test('closes slow clients by the wheel in real time', async () => {
    const server = await serve(() => undefined, HERE, { headTimeoutMs: 60 })
    expect(await raw(server.port, 'GET / HT', true)).toMatch(/^HTTP\/1.1 408 /)
  })

  test('says who cannot be reached, and answers 502', async () => {
    const gone = await serve(() => undefined)
    const { port } = gone
    await drivers.at(-1)!.close()
    const { url, failures } = await proxy({ host: '127.0.0.1', port })
    expect((await fetch(url)).status).toBe(502)
    expect(failures).toEqual(['BW_HTTP_UPSTREAM_UNREACHABLE'])
    const reasons: string[] = []
    for (const host of ['127.0.0.1', 'localhost']) {
      await new Promise<void>((resolve) => {
        const refused = (error: Error): void => {
          reasons.push(error.message)
          resolve()
        }
        driver().connect({ host, port }, () => expect.unreachable(), refused)
      })
    }
    expect(reasons).toEqual(['nothing listens there (ECONNREFUSED)', 'nothing listens there (ECONNREFUSED)'])
  })

  test('says that a port is taken, with a fix', async () => {
    const server = await serve(() => undefined)
    await expect(serve(() => undefined, { host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
      code: 'BW_HTTP_LISTEN_FAILED',
      message: `cannot listen on 127.0.0.1:${server.port}: another process listens there already (EADDRINUSE)`,
    })
    await expect(serve(() => undefined, { host: '192.0.2.1', port: 0 })).rejects.toThrow(
      'not one of this machine',
    )
  })

  test('drains: stops accepting, lets the answer under way finish, then closes', async () => {
    let held: ServerExchange | undefined
    const server = await serve((exchange) => (held = exchange))
    const answer = raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', true)
    while (held === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    await server.drain()
    await expect(fetch(`http://127.0.0.1:${server.port}`)).rejects.toThrow('fetch failed')
    say(held, 'the last word')
    expect(await answer).toMatch(/connection: close.*the last word$/s)
  })

  test('tells the upstream when the client goes away', async () => {
    let aborted = false
    let asked = false
    const upstream = await serve((exchange) => {
      asked = true
      exchange.onAbort = () => (aborted = true)
    })
    const { server } = await proxy({ host: '127.0.0.1', port: upstream.port })
    const socket = connectSocket({ host: '127.0.0.1', port: server.port })
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    while (!asked) await new Promise((resolve) => setTimeout(resolve, 5))
    socket.resetAndDestroy()
    while (!aborted) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(aborted).toBe(true)
  })
})

describe.runIf(hasOpenssl()).each(DRIVER_KINDS)(
  'TLS over $kind (needs the openssl command to make a certificate)',
  ({ open: openKind }) => {
    let folder = ''
    const file = (name: string): string => join(folder, name)

    beforeAll(() => {
      open = openKind
      folder = mkdtempSync(join(tmpdir(), 'breakwater-tls-'))
      makeCertificate({
        certFile: file('cert.pem'),
        keyFile: file('key.pem'),
        alternativeNames: 'DNS:localhost',
      })
    })

    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    const secureListen = (): ListenOptions => ({
      ...HERE,
      tls: { certificateFile: file('cert.pem'), keyFile: file('key.pem') },
    })

    test('serves TLS and agrees on http/1.1', async () => {
      const server = await serve((exchange) => say(exchange, `secure: ${exchange.secure}`), secureListen())
      const socket = connectTls({
        port: server.port,
        host: '127.0.0.1',
        servername: 'localhost',
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
      })
      socket.write('GET / HTTP/1.0\r\n\r\n')
      let got = ''
      for await (const chunk of socket.setEncoding('latin1')) got += String(chunk)
      expect(socket.alpnProtocol).toBe('http/1.1')
      expect(got).toMatch(/secure: true$/)
    })

    test('speaks TLS to an upstream whose certificate it can verify, for large bodies too', async () => {
      const upstream = await serve(echo, secureListen())
      const endpoint = {
        host: '127.0.0.1',
        port: upstream.port,
        tls: { servername: 'localhost', caFile: file('cert.pem') },
      }
      const { url } = await proxy(endpoint, { connectTimeoutMs: 5_000 })
      const body = Buffer.alloc(1_000_000, 'breakwater ')
      const response = await fetch(url, { method: 'POST', body })
      expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
    })

    test('hands what a plain connection reads on to one over TLS unchanged, however often it reads in a row', async () => {
      const opened = driver()
      const deaf = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }
      const accepted = Promise.withResolvers<Transport>()
      const secureEnd = await opened.listen(secureListen(), (transport) => {
        accepted.resolve(transport)
        return deaf
      })
      const client = connectTls({ port: secureEnd.port, host: '127.0.0.1', rejectUnauthorized: false })
      const secure = await accepted.promise
      const sent: Buffer[] = []
      const plain = Promise.withResolvers<Transport>()
      const plainEnd = await opened.listen(HERE, (transport) => {
        transport.pause()
        plain.resolve(transport)
        const onBytes = (bytes: Uint8Array): void => {
          sent.push(Buffer.from(bytes.subarray(0, 1_000)))
          secure.write(bytes.subarray(0, 1_000))
        }
        return { ...deaf, onBytes, onEnd: () => secure.end() }
      })
      const feeder = connectSocket({ host: '127.0.0.1', port: plainEnd.port })
      for (let chunk = 0; chunk < 20; chunk++) feeder.write(Buffer.alloc(50_000, chunk))
      feeder.end()
      await new Promise((resolve) => setTimeout(resolve, 50))
      ;(await plain.promise).resume()
      const got: Buffer[] = []
      for await (const chunk of client) got.push(chunk as Buffer)
      expect(sent.length).toBeGreaterThan(5)
      expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true)
    })

    test('does not speak to an upstream whose certificate it cannot verify, or that has another name', async () => {
      const upstream = await serve((exchange) => say(exchange, 'secret'), secureListen())
      for (const tls of [
        { servername: 'localhost' },
        { servername: 'other.example', caFile: file('cert.pem') },
      ]) {
        const { url, failures } = await proxy(
          { host: '127.0.0.1', port: upstream.port, tls },
          { connectTimeoutMs: 5_000 },
        )
        expect((await fetch(url)).status).toBe(502)
        expect(failures).toEqual(['BW_HTTP_UPSTREAM_UNREACHABLE'])
      }
    })

    test('ends a client whose handshake does not end in time, and any with the driver', async () => {
      const { tls } = secureListen()
      if (tls === undefined) throw new Error('no TLS')
      const listen = { ...HERE, tls: { ...tls, handshakeTimeoutMs: 50 } }
      const impatient = await serve(() => undefined, listen)
      const silent = connectSocket({ host: '127.0.0.1', port: impatient.port })
      await new Promise((resolve) => silent.once('close', resolve))
      const patient = await serve(() => undefined, secureListen())
      const waiting = connectSocket({ host: '127.0.0.1', port: patient.port })
      waiting.on('error', () => undefined)
      await new Promise((resolve) => waiting.once('connect', resolve))
      waiting.write(Buffer.from([0x16, 0x03, 0x01]))
      await new Promise((resolve) => setTimeout(resolve, 20))
      await Promise.all(drivers.map((opened) => opened.close()))
      await new Promise((resolve) => waiting.once('close', resolve))
    }, 4_000)

    test('a handshake that ends after the server has drained begins no connection', async () => {
      const { tls } = secureListen()
      if (tls === undefined) throw new Error('no TLS')
      const begun = Promise.withResolvers<void>()
      const mayBegin = (): boolean => {
        begun.resolve()
        return true
      }
      const server = await serve((exchange) => say(exchange, 'too late'), {
        ...HERE,
        tls: { ...tls, mayBegin },
      })
      const socket = connectSocket({ host: '127.0.0.1', port: server.port })
      await begun.promise
      await server.drain()
      const secure = connectTls({ socket, rejectUnauthorized: false })
      secure.on('error', () => undefined)
      let got = ''
      secure.on('data', (chunk) => (got += String(chunk)))
      secure.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      await new Promise((resolve) => secure.once('close', resolve))
      expect(got).toBe('')
    })

    test('says which certificate file it cannot use', async () => {
      const listen = { ...HERE, tls: { certificateFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' } }
      await expect(serve(() => undefined, listen)).rejects.toThrow(
        'cannot use /nowhere/cert.pem and /nowhere/key.pem',
      )
    })
  },
)
