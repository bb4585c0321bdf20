import { VirtualClock } from '@breakwater/core'
import { expect, test } from 'vitest'

import { sendClients } from '../drills/lab/clients.ts'
import { openGateway } from '../drills/lab/gateway.ts'
import { SimService } from '../drills/lab/service.ts'
import { SimWorld } from '../drills/lab/world.ts'

test('services of the lab call each other through the gateway under test', async () => {
  const world = new SimWorld({ seed: 1, clock: new VirtualClock() })
  const common = { workers: 10, serviceMs: 5 }
  await SimService.open(world, { ...common, name: 'orders', calls: [{ service: 'catalog', timeoutMs: 500 }] })
  const catalog = await SimService.open(world, { ...common, name: 'catalog' })
  const gateway = await openGateway(world, { services: { orders: {}, catalog: {} } })
  const ledger = sendClients(world, {
    name: 'shoppers',
    service: 'orders',
    perSecond: 50,
    fromMs: 0,
    untilMs: 5_000,
    timeoutMs: 1_000,
  })
  await world.clock.advance(10_000)
  expect(ledger.count).toBeGreaterThan(200)
  expect(ledger.statuses()).toEqual({ 200: ledger.count })
  expect(catalog.counters.arrived).toBe(ledger.count)
  await gateway.close()
})
