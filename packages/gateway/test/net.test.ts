import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveObject } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { Gateway } from '@breakwater/gateway'
import { hasOpenssl, makeCertificate } from '@breakwater/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { closing } from './support/closing.ts'
import { SOCKETS } from './support/sockets.ts'

function configOf(listener: object, upstream: object): GatewayConfig {
  const input = {
    listeners: { main: { host: '127.0.0.1', port: 0, ...listener } },
    upstreams: { shop: upstream },
    routes: { shop: { match: '/*', upstream: 'shop' } },
    admin: false as const,
  }
  const resolved = resolveObject(input, { file: 'test' })
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
  return resolved.value.config
}

test.each(SOCKETS)(
  'over $kind sockets, all controls on their defaults, requests and answers pass whole',
  async ({ openDriver }) => {
    await using driver = closing(openDriver())
    const server = createServer((request, response) => void request.pipe(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const gateway = await Gateway.open(configOf({}, { endpoints: [`127.0.0.1:${port}`] }), { driver })
    const address = gateway.addresses.get('main')
    const bodies = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(20_000))
    const answers = await Promise.all(
      bodies.map(async (body) => {
        const answer = await fetch(`http://127.0.0.1:${address?.port}/echo`, { method: 'POST', body })
        return answer.text()
      }),
    )
    expect(answers).toEqual(bodies)
    await gateway.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  },
  10_000,
)

describe.runIf(hasOpenssl()).each(SOCKETS)(
  'TLS over $kind sockets (needs the openssl command to make a certificate)',
  ({ openDriver }) => {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-gateway-'))
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]

    beforeAll(() => {
      makeCertificate({ certFile: cert, keyFile: key, alternativeNames: 'DNS:localhost,IP:127.0.0.1' })
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    test('is spoken to clients and, verified, to upstreams; an older version than allowed is refused', async () => {
      await using driver = closing(openDriver())
      const files = { cert: readFileSync(cert), key: readFileSync(key) }
      const server = createTlsServer(files, (request, response) =>
        response.end(`${request.headers['x-forwarded-proto']}`),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const upstream = { endpoints: [`127.0.0.1:${port}`], tls: { ca: cert, serverName: 'localhost' } }
      const listener = { tls: { cert, key, minVersion: 'TLSv1.3' } }
      const gateway = await Gateway.open(configOf(listener, upstream), { driver })
      const at = gateway.addresses.get('main')
      const ask = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
        new Promise((resolve, reject) => {
          const options = {
            host: '127.0.0.1',
            port: at?.port,
            servername: 'localhost',
            ca: files.cert,
            maxVersion,
          }
          const request = tlsRequest({ ...options, agent: false }, (response) => {
            let body = ''
            response.on('data', (chunk: Buffer) => (body += chunk.toString()))
            response.on('end', () => resolve(body))
          })
          request.on('error', reject)
          request.end()
        })
      expect(await ask('TLSv1.3')).toBe('https')
      await expect(ask('TLSv1.2')).rejects.toThrow(/protocol|alert/i)
      await gateway.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }, 10_000)
  },
)
