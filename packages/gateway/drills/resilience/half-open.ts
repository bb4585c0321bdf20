import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { probeLimit } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const CRASH_MS = 5000
const RESTART_MS = 2000
const END_MS = 40_000
const WORKERS = 12
/** Answers after which caches are warm, and waiting requests that a cold process has no memory for. */
const WARM_AFTER = 30
const FATAL_QUEUE = 25

/** A service that is slow until it is warm, and dies of a crowd before that. */
function keepAlive(world: SimWorld, service: SimService): { readonly crashes: number } {
  const life = { crashes: 0 }
  let isDown = false
  let warmAtAnswers = 0
  const crash = (): void => {
    life.crashes++
    isDown = true
    service.crash()
    world.clock.schedule(RESTART_MS, () => {
      void service.listen()
      service.setWorkers(1)
      warmAtAnswers = service.counters.answered + WARM_AFTER
      isDown = false
    })
  }
  const look = (): void => {
    if (!isDown && service.workers.queued > FATAL_QUEUE) crash()
    else if (!isDown && service.counters.answered >= warmAtAnswers) service.setWorkers(WORKERS)
    world.clock.schedule(10, look)
  }
  look()
  world.clock.schedule(CRASH_MS, crash)
  return life
}

/** An upstream that is coming back, and everybody wants to know whether it is back. */
export const halfOpen: Drill = defineDrill({
  id: 'half-open',
  title: 'A crowd of probes meets an upstream that has just come back',
  threat: threats.stuckHalfOpen,
  controls: [probeLimit],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const breaker = {
      consecutiveFailures: 5,
      openFor: '1s' as const,
      maxOpenFor: '4s' as const,
      probes: WARM_AFTER + 5,
      probeTimeout: '2s' as const,
      maxConcurrentProbes: control === 'on' ? 1 : 100_000,
    }
    const gateway = await openGateway(world, {
      services: { catalog: { upstream: { breaker }, route: { timeout: '2s' } }, orders: {} },
    })
    lab.defer(() => gateway.close())
    const catalog = await SimService.open(world, { name: 'catalog', workers: WORKERS, serviceMs: 20 })
    await SimService.open(world, { name: 'orders', workers: 4, serviceMs: 5 })
    const life = keepAlive(world, catalog)
    const clients = { fromMs: 0, untilMs: END_MS, timeoutMs: 5000 }
    const readers = sendClients(world, { ...clients, name: 'readers', service: 'catalog', perSecond: 200 })
    const buyers = sendClients(world, { ...clients, name: 'buyers', service: 'orders', perSecond: 10 })
    await world.run(END_MS + 5000)
    return {
      crashes: life.crashes,
      lastGoodRatio: readers.between(END_MS - 10_000, END_MS).goodRatio,
      probes: gateway.upstream('catalog')?.breaker?.counters.probes ?? 0,
      before: readers.between(0, CRASH_MS - 500).goodRatio,
      buyers: buyers.goodRatio,
    }
  },

  judge: ({ crashes, lastGoodRatio, probes, before, buyers }) => ({
    outcome: crashes > 1 || lastGoodRatio < 0.99 ? 'breached' : 'contained',
    because: [
      { name: 'crashes, the first included', value: crashes, unit: '', atMost: 1 },
      { name: 'good answers in the last 10 s', value: lastGoodRatio, unit: 'ratio', atLeast: 0.99 },
      { name: 'probes', value: probes, unit: '' },
    ],
    honest: [
      { name: 'good answers before the first crash', value: before, unit: 'ratio', atLeast: 0.999 },
      { name: 'good answers of another upstream', value: buyers, unit: 'ratio', atLeast: 0.999 },
    ],
  }),
})
