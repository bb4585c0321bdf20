import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { maxEntries, maxKeys, maxSize } from '../controls-protocol.ts'
import { Caller } from '../lab/caller.ts'
import type { Answer, Ask } from '../lab/caller.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { SimWorld } from '../lab/world.ts'

/** Distinct keys that the attacker invents for each table. */
const FLOOD = 1500
const MAX_KEYS = 400
/** Newcomers to a full limiter share so many cells (`GcraLimiterOptions.overflowCells`). */
const SHARED_CELLS = 256
const MAX_ENTRIES = 400
const MAX_SIZE_KIB = 512
const ANSWER = 'a'.repeat(2048)
/** Of entries of two KB and a little, so many fit. */
const MAX_ANSWERS = (MAX_SIZE_KIB * 1024) / ANSWER.length

type Send = (service: string, asks: readonly Ask[]) => Promise<readonly Answer[]>

/** Sends one request each millisecond and waits until all have an answer. */
function sender(world: SimWorld): Send {
  const caller = new Caller(world, 'someone', { pool: { maxConnections: 64, pendingTimeoutMs: 60_000 } })
  return async (service, asks) => {
    const answers: Answer[] = []
    for (const [index, ask] of asks.entries()) {
      world.clock.schedule(index, () =>
        caller.call(service, ask, 30_000, (answer) => void (answers[index] = answer)),
      )
    }
    await world.clock.advance(asks.length + 40_000)
    return answers
  }
}

const limited = (key: string): Ask => ({ fields: { 'x-api-key': key } })
const paid = (tenant: string, key: string): Ask => ({
  method: 'POST',
  fields: { 'x-tenant-id': tenant, 'idempotency-key': key },
})
const looked = (key: string): Ask => ({ path: `/?page=${key}` })
const isReplay = ({ fields }: Answer): boolean => fields.get('idempotent-replayed') === 'true'
const isGood = ({ status }: Answer): boolean => status === 200

export const unboundedKeys: Drill = defineDrill({
  id: 'unbounded-keys',
  title: 'Somebody invents a new key for each request, in every table that has keys',
  threat: threats.unboundedKeys,
  controls: [maxKeys, maxEntries, maxSize],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),
  async attack({ lab, world }, { control }) {
    const isOn = control === 'on'
    const service = { workers: 200, serviceMs: 1, effect: () => ANSWER }
    for (const name of ['limited', 'paid', 'looked']) await SimService.open(world, { ...service, name })
    const gateway = await openGateway(world, {
      services: {
        limited: {
          route: {
            rateLimit: { rate: '1/h', burst: 1, key: 'header:x-api-key', maxKeys: isOn ? MAX_KEYS : false },
          },
        },
        paid: {
          route: {
            tenant: { header: 'x-tenant-id' },
            idempotencyKey: { maxEntries: isOn ? MAX_ENTRIES : false },
          },
        },
        looked: { route: { staleIfError: { ttl: '1h', maxSize: isOn ? `${MAX_SIZE_KIB}KiB` : '4GiB' } } },
      },
    })
    lab.defer(() => gateway.close())
    const send = sender(world)
    const keys = Array.from({ length: FLOOD }, (_, index) => `invented-${index}`)
    const invented = keys.map((key, index) => paid(`tenant-${index % 100}`, key))

    const before = [
      ...(await send('limited', [limited('honest')])),
      ...(await send('paid', [paid('honest', 'first-order')])),
      ...(await send('looked', [looked('home'), looked('home')])),
    ]
    // A cell, an entry and an answer each for whoever comes first; what was given out is what is remembered.
    const ownCells = (await send('limited', keys.map(limited))).filter(isGood).length
    await send('paid', invented)
    const remembered = (await send('paid', invented)).filter(isReplay).length
    await send('looked', keys.map(looked))
    const [knownKey] = await send('limited', [limited('honest')])
    const [knownOrder] = await send('paid', [paid('honest', 'first-order')])
    world.network.crash('looked')
    const [knownPage] = await send('looked', [looked('home')])
    const stored = (await send('looked', keys.map(looked))).filter(isGood).length
    const kept = [
      knownKey?.status === 429,
      knownOrder !== undefined && isReplay(knownOrder),
      knownPage?.status === 200,
    ]
    return { ownCells, remembered, stored, kept: kept.filter(Boolean).length, before }
  },
  judge({ ownCells, remembered, stored, kept, before }) {
    const figures = [
      { name: 'invented keys with a state of their own', value: ownCells, atMost: MAX_KEYS + SHARED_CELLS },
      { name: 'invented idempotency keys remembered', value: remembered, atMost: MAX_ENTRIES },
      { name: 'invented pages kept', value: stored, atMost: MAX_ANSWERS },
    ].map((figure) => ({ ...figure, unit: '' }))
    return {
      outcome: figures.every(({ value, atMost }) => value <= atMost) ? 'contained' : 'breached',
      because: figures,
      honest: [
        {
          name: 'honest requests before the flood',
          value: before.filter(isGood).length,
          unit: '',
          atLeast: 4,
        },
        {
          name: 'of three honest keys, those still known after the flood',
          value: kept,
          unit: '',
          atLeast: 3,
        },
      ],
    }
  },
})
