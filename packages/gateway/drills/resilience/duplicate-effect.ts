import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { idempotencyKey } from '../controls-resilience.ts'
import { sendClients } from '../lab/clients.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

const END_MS = 30_000

/** Shoppers on a train: answers get lost, and they press "pay" again. */
export const duplicateEffect: Drill = defineDrill({
  id: 'duplicate-effect',
  title: 'Pressing "pay" again after a lost answer',
  threat: threats.duplicateEffect,
  controls: [idempotencyKey],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),

  async attack({ lab, world }, { control }) {
    const gateway = await openGateway(world, {
      services: { payments: { route: { idempotencyKey: control === 'on' } } },
    })
    lab.defer(() => gateway.close())
    const charges = new Map<string, number>()
    await SimService.open(world, {
      name: 'payments',
      workers: 10,
      serviceMs: 20,
      effect: (_request, order) => {
        charges.set(order, (charges.get(order) ?? 0) + 1)
        return `paid ${order}`
      },
    })
    world.network.setFaults('travellers', 'gateway', {
      latencyMs: 20,
      breakRatio: 1,
      breakWithinBytes: 3000,
    })
    const pay = (who: string) => {
      let orders = 0
      return () => {
        const order = `${who}-${++orders}`
        const fields = { 'idempotency-key': order, 'content-type': 'text/plain' }
        return { method: 'POST', path: '/pay', fields, body: Buffer.from(order) }
      }
    }
    const clients = { service: 'payments', perSecond: 20, fromMs: 0, untilMs: END_MS, timeoutMs: 5000 }
    const backoffMs = (): number => 1000
    const travellers = sendClients(world, {
      ...clients,
      name: 'travellers',
      ask: pay('train'),
      attempts: 5,
      backoffMs,
    })
    const locals = sendClients(world, { ...clients, name: 'locals', ask: pay('home') })
    await world.run(END_MS + 30_000)
    const twice = [...charges].filter(([order, count]) => order.startsWith('train') && count > 1)
    return {
      repeated: travellers.tries - travellers.count,
      chargedTwice: twice.length,
      paidRatio: travellers.goodRatio,
      locals: { goodRatio: locals.goodRatio, p99Ms: locals.quantileMs(0.99) },
      localsTwice: [...charges].filter(([order, count]) => order.startsWith('home') && count > 1).length,
    }
  },

  judge: ({ repeated, chargedTwice, paidRatio, locals, localsTwice }) => ({
    outcome: chargedTwice > 0 ? 'breached' : 'contained',
    because: [
      { name: 'orders charged more than once', value: chargedTwice, unit: '', atMost: 0 },
      { name: 'repeated requests', value: repeated, unit: '' },
      { name: 'payments that ended well', value: paidRatio, unit: 'ratio' },
    ],
    honest: [
      { name: 'payments over a good line', value: locals.goodRatio, unit: 'ratio', atLeast: 0.999 },
      { name: 'p99 of payments over a good line', value: locals.p99Ms, unit: 'ms', atMost: 200 },
      { name: 'of those charged twice', value: localsTwice, unit: '', atMost: 0 },
    ],
  }),
})
