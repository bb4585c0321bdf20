import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { bulkhead, shed } from '../controls-resilience.ts'
import { sendVisitors } from '../lab/visitors.ts'
import type { Visitors } from '../lab/visitors.ts'
import { openWire, pause, startGateway, startProgram } from './programs.ts'

const WORKERS = 4
const SERVICE_MS = 50
/** Requests a second that the service can do. */
const CAPACITY = (WORKERS * 1000) / SERVICE_MS
const PATIENCE_MS = 1000
const CALM_MS = 1500
const FULL_BY_MS = 4500
const END_MS = 8000
const CHECKOUT_PER_SECOND = 0.2 * CAPACITY
const BROWSE_PER_SECOND = 0.4 * CAPACITY
const CROWD_PER_SECOND = 2 * CAPACITY

function configOf(host: string, servicePort: number, isOn: boolean): ConfigInput {
  const route = { upstream: 'shop', retry: false, timeout: '10s' } as const
  return {
    admin: false,
    overload: false,
    telemetry: { accessLog: false },
    shed: isOn,
    listeners: { main: { host, port: 0 } },
    upstreams: {
      shop: {
        endpoints: [`${host}:${servicePort}`],
        pool: { maxConnections: 1000 },
        breaker: false,
        bulkhead: isOn ? { maxConcurrent: WORKERS + 2, maxQueue: 100, maxWait: '300ms' } : false,
      },
    },
    routes: {
      checkout: { ...route, match: '/shop/checkout', priority: 'critical' },
      browse: { ...route, match: '/shop/browse', priority: 'low' },
    },
  }
}

export const overloadLocal: Drill = defineDrill({
  id: 'overload-local',
  title: 'Two and a half times the capacity of a real service, for six seconds',
  threat: threats.overload,
  controls: [shed, bulkhead],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const { ports } = await startProgram(lab, 'service-process', [String(WORKERS), String(SERVICE_MS)])
    const port = await startGateway(lab, configOf(lab.host, ports['service'] ?? 0, control === 'on'))
    const wire = openWire(lab)
    const startMs = wire.clock.now()
    const send = (path: string, perSecond: number, fromMs: number): Visitors =>
      sendVisitors(wire, {
        from: path,
        to: { host: lab.host, port },
        request: `GET ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`,
        perSecond,
        fromMs: startMs + fromMs,
        untilMs: startMs + END_MS,
        timeoutMs: PATIENCE_MS,
        random: lab.random,
      })
    const checkout = send('/shop/checkout', CHECKOUT_PER_SECOND, 0)
    const browse = send('/shop/browse', BROWSE_PER_SECOND, 0)
    const crowd = send('/shop/browse', CROWD_PER_SECOND, CALM_MS)
    await pause(END_MS + PATIENCE_MS + 200)
    const from = startMs + FULL_BY_MS
    const until = startMs + END_MS
    const good = [checkout, browse, crowd].reduce(
      (sum, { visits }) =>
        sum +
        visits.filter(({ wantedMs, status }) => status === 200 && wantedMs >= from && wantedMs < until)
          .length,
      0,
    )
    return {
      checkout: checkout.goodRatio(from, until),
      goodput: (good * 1000) / (until - from) / CAPACITY,
      before: Math.min(
        checkout.goodRatio(startMs, startMs + CALM_MS - 300),
        browse.goodRatio(startMs, startMs + CALM_MS - 300),
      ),
    }
  },
  judge: ({ checkout, goodput, before }) => ({
    // The machine may be busy with other things: what counts is most or next to nothing.
    outcome: checkout >= 0.8 && goodput >= 0.4 ? 'contained' : 'breached',
    because: [
      { name: 'checkouts done in the crowd', value: checkout, unit: 'ratio', atLeast: 0.8 },
      { name: 'useful answers, of what the service can do', value: goodput, unit: 'ratio', atLeast: 0.4 },
    ],
    honest: [{ name: 'requests answered before the crowd came', value: before, unit: 'ratio', atLeast: 0.9 }],
  }),
})
