import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { adaptiveLimit, shed } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import type { Ledger } from '../lab/ledger.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

/** What the service can do: 10 workers, 50 ms each. */
const CAPACITY = 200
const PATIENCE_MS = 1000
const CALM_MS = 10_000
const PHASE_MS = 15_000
const HIGH_MS = CALM_MS + PHASE_MS
const END_MS = HIGH_MS + PHASE_MS
/** Until the limit has found the capacity, after each change of load. */
const SETTLE_MS = 3000
const CRITICAL = 10

/** 1.4 times, then 3 times what a service can do, for longer than anybody's patience. */
export const overload: Drill = defineDrill({
  id: 'overload',
  title: 'Three times more work than can be done',
  threat: threats.overload,
  controls: [adaptiveLimit, shed],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const isOn = control === 'on'
    const gateway = await openGateway(world, {
      services: {
        orders: { upstream: { adaptiveLimit: isOn } },
        checkout: { route: { upstream: 'orders', priority: 'critical' } },
      },
      rest: { shed: isOn },
    })
    lab.defer(() => gateway.close())
    await SimService.open(world, { name: 'orders', workers: 10, serviceMs: 50 })
    const clients = { timeoutMs: PATIENCE_MS, fromMs: 0, untilMs: END_MS }
    const checkouts = sendClients(world, {
      ...clients,
      name: 'buyers',
      service: 'checkout',
      perSecond: CRITICAL,
    })
    const calm = 0.6 * CAPACITY - CRITICAL
    const visitors = { ...clients, service: 'orders', name: 'visitors' }
    const browsing = sendClients(world, { ...visitors, perSecond: calm })
    const rush = (times: number, fromMs: number): Ledger =>
      sendClients(world, {
        ...visitors,
        name: `rush ${times}`,
        perSecond: times * CAPACITY - CRITICAL - calm,
        fromMs,
        untilMs: fromMs + PHASE_MS,
      })
    const rushes = [rush(1.4, CALM_MS), rush(3, HIGH_MS)]
    await world.run(END_MS + 10_000)

    const goodputOf = (fromMs: number, toMs: number): number =>
      [checkouts, browsing, ...rushes]
        .map((ledger) => ledger.between(fromMs, toMs).goodput(toMs - fromMs))
        .reduce((sum, goodput) => sum + goodput, 0) / CAPACITY
    const criticalIn = (fromMs: number, toMs: number) => {
      const part = checkouts.between(fromMs, toMs)
      return { goodRatio: part.goodRatio, p99Ms: part.quantileMs(0.99) }
    }
    return {
      goodputs: [goodputOf(CALM_MS + SETTLE_MS, HIGH_MS), goodputOf(HIGH_MS + SETTLE_MS, END_MS)],
      critical: criticalIn(CALM_MS + SETTLE_MS, END_MS),
      before: { ...criticalIn(0, CALM_MS), browsing: browsing.between(0, CALM_MS).goodRatio },
    }
  },

  judge: ({ goodputs: [high = 0, highest = 0], critical, before }) => ({
    outcome:
      Math.min(high, highest) < 0.8 || critical.goodRatio < 0.99 || critical.p99Ms > 500
        ? 'breached'
        : 'contained',
    because: [
      { name: 'goodput at 3 × the capacity', value: highest, unit: 'ratio', atLeast: 0.8 },
      { name: 'goodput at 1.4 × the capacity', value: high, unit: 'ratio', atLeast: 0.8 },
      {
        name: 'checkouts that succeed under overload',
        value: critical.goodRatio,
        unit: 'ratio',
        atLeast: 0.99,
      },
      { name: 'p99 of checkouts under overload', value: critical.p99Ms, unit: 'ms', atMost: 500 },
    ],
    honest: [
      { name: 'checkouts that succeed before', value: before.goodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'p99 of checkouts before', value: before.p99Ms, unit: 'ms', atMost: 500 },
      { name: 'other answers before', value: before.browsing, unit: 'ratio', atLeast: 0.99 },
    ],
  }),
})
