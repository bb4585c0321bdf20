import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'

import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, LocalLab } from '@breakwater/drill'
import { TestIssuer } from '@breakwater/gateway'

import { upgradeList } from '../controls-authz.ts'
import { POLICIES, SCHEMA, entitiesJson } from '../authz/policies.ts'
import { statusOf, tryTunnel } from './h2c-client.ts'
import type { TunnelTry } from './h2c-client.ts'
import { pause, startGateway, startProgram } from './programs.ts'

const GUARDED = ['/orders/o3', '/invoices/i1']
const SETTINGS = 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'
const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS]

const head = (path: string, fields: readonly string[], version = '1.1', method = 'GET'): string =>
  [`${method} ${path} HTTP/${version}`, 'Host: shop', ...fields, '', ''].join('\r\n')

/** Ways to ask for a tunnel from an open door. The empty one is HTTP/2 from the first byte. */
const TRIES: readonly string[] = [
  '',
  head('/products', H2C),
  head('/products', ['Connection: Upgrade', 'Upgrade: h2c', SETTINGS]),
  head('/products', ['Connection: upgrade, http2-settings', 'Upgrade: H2C', SETTINGS]),
  head('/products', H2C, '1.1', 'HEAD'),
  head('/products', [...H2C, 'Content-Length: 0'], '1.1', 'POST'),
  head('/products', H2C, '1.0'),
  head('/live', H2C),
  head('/live', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: websocket, h2c', SETTINGS]),
  head('/live', ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', SETTINGS]),
]

function configOf(lab: LocalLab, policies: string, servicePort: number): ConfigInput {
  return {
    admin: false,
    overload: false,
    shed: false,
    telemetry: { accessLog: false },
    listeners: { main: { host: lab.host, port: 0 } },
    upstreams: { shop: { endpoints: [`${lab.host}:${servicePort}`] } },
    authorization: {
      policies,
      replay: 0,
      identity: { testIssuer: { publicKey: TestIssuer.create().issuer.publicKey } },
    },
    routes: {
      products: { match: '/products/*', upstream: 'shop', public: true },
      live: { match: '/live', upstream: 'shop', public: ['GET'], upgrade: { protocols: ['websocket'] } },
      order: {
        match: '/orders/{id}',
        upstream: 'shop',
        authorize: {
          action: { GET: 'viewOrder' },
          resource: { type: 'Order', id: '{id}' },
          context: ['workload', 'tenant'],
          obligations: ['mask'],
        },
      },
    },
  }
}

async function startFront(lab: LocalLab, servicePort: number, isBreakwater: boolean): Promise<number> {
  if (!isBreakwater)
    return (await startProgram(lab, 'h2c-front-process', [String(servicePort)])).ports['main'] ?? 0
  const policies = join(await lab.tempDir(), 'policies')
  await mkdir(policies)
  await writeFile(join(policies, 'shop.cedar'), POLICIES)
  await writeFile(join(policies, 'shop.cedarschema'), SCHEMA)
  await writeFile(join(policies, 'entities.json'), entitiesJson())
  return startGateway(lab, configOf(lab, policies, servicePort))
}

/** A WebSocket as browsers open one: is it given, and do bytes come back? */
async function echoes(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const status = await statusOf(socket, head('/live', [...fields, 'Sec-WebSocket-Key: eA==']))
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.resume()
  socket.write('hello')
  for (let waited = 0; text !== 'hello' && waited < 1000; waited += 20) await pause(20)
  socket.destroy()
  return status === 101 && text === 'hello'
}

export const tunnelledRequests: Drill = defineDrill({
  id: 'h2c-tunnel',
  title: 'A request for an open page asks to go on in HTTP/2, where nobody decides on what is asked',
  threat: threats.authorizationBypass,
  controls: [upgradeList],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const { ports } = await startProgram(lab, 'h2c-service-process')
    const servicePort = ports['service'] ?? 0
    const port = await startFront(lab, servicePort, control === 'on')
    const ask = async (path: string): Promise<number> =>
      (await fetch(`http://${lab.host}:${port}${path}`)).status
    const honest = [(await ask('/products')) === 200, await echoes(port)]
    const refused = (await Promise.all(GUARDED.map(ask))).every((status) => status >= 400)
    const tries: TunnelTry[] = []
    for (const one of TRIES) tries.push(await tryTunnel(port, one, GUARDED))
    honest.push(await echoes(port), (await ask('/products')) === 200)
    const seen = (await (await fetch(`http://${lab.host}:${servicePort}/__seen`)).json()) as readonly string[]
    return {
      refused,
      // Whatever was read: of the guarded objects nothing may be.
      read: tries.flatMap(({ read }) => read).filter((text) => text.includes('secret')).length,
      arrived: seen.filter((line) => GUARDED.some((path) => line.endsWith(` ${path}`))).length,
      honest: honest.filter(Boolean).length / honest.length,
    }
  },
  judge: ({ refused, read, arrived, honest }) => ({
    outcome: refused && read === 0 && arrived === 0 ? 'contained' : 'breached',
    because: [
      { name: 'guarded objects read through a tunnel', value: read, unit: 'objects', atMost: 0 },
      { name: 'requests for them that reached the service', value: arrived, unit: 'requests', atMost: 0 },
      {
        name: 'guarded doors that are shut to plain requests',
        value: refused ? 1 : 0,
        unit: 'ratio',
        atLeast: 1,
      },
    ],
    honest: [{ name: 'pages read and WebSockets opened', value: honest, unit: 'ratio', atLeast: 1 }],
  }),
})
