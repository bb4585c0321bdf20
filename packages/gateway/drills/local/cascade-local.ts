import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, LocalLab } from '@breakwater/drill'

import { breaker, timeout } from '../controls-resilience.ts'
import { sendVisitors } from '../lab/visitors.ts'
import { openWire, pause, startGateway } from './programs.ts'
import { SHOP_SERVICES, breakService, startShop, stateOf } from './shop.ts'
import type { ShopPorts } from './shop.ts'

const WORKERS = 8
const INCIDENT_MS = 2000
const SPREAD_BY_MS = 4500
const END_MS = 7500
const PATIENCE_MS = 2500
const CHECKOUTS_PER_SECOND = 14

const body = JSON.stringify({ lines: [{ productId: 'prd_mug', quantity: 2 }] })
const checkout = (authorization: string): string =>
  [
    'POST /shop/checkout HTTP/1.1',
    'Host: shop',
    'Connection: close',
    'X-Tenant-Id: acme',
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')

const PATHS = {
  storefront: '/shop/*',
  orders: '/orders/*',
  payments: '/payments/*',
  catalog: '/catalog/*',
  billing: '/invoices/*',
} as const

function configOf(lab: LocalLab, gatewayPort: number, ports: ShopPorts, isOn: boolean): ConfigInput {
  return {
    admin: false,
    overload: false,
    shed: false,
    telemetry: { accessLog: false },
    listeners: { main: { host: lab.host, port: gatewayPort } },
    upstreams: Object.fromEntries(
      SHOP_SERVICES.map((name) => [
        name,
        {
          endpoints: [`${lab.host}:${ports[name]}`],
          bulkhead: false,
          outlierEjection: false,
          breaker: isOn ? { consecutiveFailures: 5, openFor: '2s' } : false,
        },
      ]),
    ),
    routes: Object.fromEntries(
      SHOP_SERVICES.map((name) => [
        name,
        {
          match: PATHS[name],
          upstream: name,
          retry: false,
          timeout: isOn ? (name === 'catalog' ? '1s' : '5s') : false,
        },
      ]),
    ),
  }
}

export const cascadeLocal: Drill = defineDrill({
  id: 'cascade-local',
  title: 'The real shop, and catalog without connections to its database',
  threat: threats.cascadingFailure,
  controls: [timeout, breaker],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const gatewayPort = await lab.port()
    const { ports, authorization } = await startShop(lab, `http://${lab.host}:${gatewayPort}`, {
      SHOP_WORKERS: String(WORKERS),
      SHOP_WAITING: '200',
      CATALOG_CONNECTIONS: '4',
    })
    await startGateway(lab, configOf(lab, gatewayPort, ports, control === 'on'))
    const wire = openWire(lab)
    const startMs = wire.clock.now()
    const checkouts = sendVisitors(wire, {
      from: 'shoppers',
      to: { host: lab.host, port: gatewayPort },
      request: checkout(authorization('usr_ada', 'acme')),
      perSecond: CHECKOUTS_PER_SECOND,
      fromMs: startMs,
      untilMs: startMs + END_MS,
      timeoutMs: PATIENCE_MS,
      random: lab.random,
    })
    await pause(INCIDENT_MS)
    await breakService(lab, ports.catalog, { leakedConnections: 4 })
    await pause(END_MS - INCIDENT_MS - 200)
    const states = await Promise.all(SHOP_SERVICES.map((name) => stateOf(lab, ports[name])))
    await pause(PATIENCE_MS + 400)
    return {
      stuck: states.filter(({ busyWorkers }) => busyWorkers >= WORKERS).length,
      during: checkouts.goodRatio(startMs + SPREAD_BY_MS, startMs + END_MS),
      before: checkouts.goodRatio(startMs, startMs + INCIDENT_MS - 500),
    }
  },
  judge: ({ stuck, during, before }) => ({
    outcome: during >= 0.8 && stuck <= 1 ? 'contained' : 'breached',
    because: [
      { name: 'checkouts that succeed during the incident', value: during, unit: 'ratio', atLeast: 0.8 },
      { name: 'services with every worker taken, of five', value: stuck, unit: '', atMost: 1 },
    ],
    honest: [{ name: 'checkouts that succeed before', value: before, unit: 'ratio', atLeast: 0.9 }],
  }),
})
