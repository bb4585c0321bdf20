import { createRandom, VirtualClock } from '@breakwater/core'
import type { Random } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { HttpServer, SimNetwork } from '../src/index.ts'
import type { LinkFaults } from '../src/index.ts'

import { Application, textOf } from './support/application.ts'
import type { Habits } from './support/application.ts'
import { makeIntents, RawClient, writeIntent } from './support/raw-client.ts'
import type { Intent } from './support/raw-client.ts'
import { latin1, readResponses } from './support/reading.ts'

const CALM: Habits = { abortRatio: 0, bodies: ['reads', 'pauses'], maxDelayMs: 50, maxAnswerBytes: 200_000 }
const WILD: Habits = {
  abortRatio: 0.05,
  bodies: ['reads', 'reads', 'pauses', 'answers early', 'never reads'],
  maxDelayMs: 100,
  maxAnswerBytes: 300_000,
}
/** Longer than every time-out of the server and the slowest reader here. */
const FOREVER_MS = 172_800_000

interface Run {
  readonly application: Application
  readonly client: RawClient
  readonly intents: readonly Intent[]
  readonly server: HttpServer
  readonly leftInWheel: number
  readonly openConnections: number
}

async function run(random: Random, seed: number, habits: Habits, faults: LinkFaults): Promise<Run> {
  const clock = new VirtualClock()
  const network = new SimNetwork({ seed, clock, faults })
  const driver = network.driver('server')
  const application = new Application(clock, random, habits)
  const server = await HttpServer.open(driver, { host: '', port: 80 }, application)
  const intents = makeIntents(random, 1 + Math.floor(random() * 12))
  const bytes = intents.map(writeIntent).join('')
  const clients: RawClient[] = []
  network.driver('client').connect(
    { host: 'server', port: 80 },
    (transport) => {
      const client = new RawClient(transport, clock, random, bytes, random() < 0.3)
      clients.push(client)
      return client
    },
    () => undefined,
  )
  clock.runUntil(FOREVER_MS)
  const [client] = clients
  if (client === undefined) throw new Error('no connection')
  return {
    application,
    client,
    intents,
    server,
    leftInWheel: driver.wheel.size,
    openConnections: network.openConnections('server'),
  }
}

/** Holds for every run, whatever was done to the connection. */
function checkAlways({ application, client, intents, server, leftInWheel, openConnections }: Run): void {
  const { episodes } = application
  expect([...application.wrongs, ...client.wrongs]).toEqual([])
  // Every exchange ends, and is begun once, in the order of the requests.
  expect(episodes.filter(({ exchange }) => !exchange.done).map(({ id }) => id)).toEqual([])
  expect(episodes.map(({ id }) => id)).toEqual(intents.slice(0, episodes.length).map(({ id }) => id))
  for (const [index, { received, bodyEnds }] of episodes.entries()) {
    const { body } = intents[index] as Intent
    expect(bodyEnds === 1 ? received === body : body.startsWith(received)).toBe(true)
  }
  // What came back is answers to those requests, in that order, and nothing else.
  const methods = intents.map(({ method }) => method)
  const reading = readResponses([latin1(client.received)], { methods, isEnding: false })
  expect(reading.details).toBe('')
  const finals = reading.messages.filter(({ start }) => start !== '103')
  for (const [index, message] of finals.entries()) {
    if (message.start !== '200') {
      // A refusal: too slow, most of all. The connection ends with it.
      expect([index, message.keepAlive]).toEqual([finals.length - 1, false])
      continue
    }
    const id = intents[index]?.id ?? 'nobody asked'
    const size = Number(message.fields.find((line) => line.startsWith('x-bytes: '))?.slice(9))
    const whole = methods[index] === 'HEAD' ? '' : textOf(id, size)
    expect(message.fields).toContain(`x-id: ${id}`)
    expect(message.isComplete ? message.body === whole : whole.startsWith(message.body)).toBe(true)
  }
  // Nothing stays behind.
  expect({ connections: server.connections, openConnections, leftInWheel }).toEqual({
    connections: 0,
    openConnections: 0,
    leftInWheel: 0,
  })
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed)

const anyFaults = (random: Random): LinkFaults => ({
  latencyMs: random() * 20,
  jitterMs: random() < 0.5 ? 0 : random() * 50,
  splitRatio: random() < 0.3 ? 0 : random() * 0.9,
  maxSegmentBytes: random() < 0.2 ? 200 + Math.floor(random() * 2000) : 65_536,
})

describe('a server connection over an unkind network', () => {
  test('answers every request of a patient client, in order, whole', async () => {
    for (const seed of seeds(80)) {
      const random = createRandom(seed)
      const one = await run(random, seed, CALM, anyFaults(random))
      checkAlways(one)
      const last = one.intents.findIndex(({ isLast }) => isLast)
      const due = last < 0 ? one.intents : one.intents.slice(0, last + 1)
      const methods = due.map(({ method }) => method)
      const { messages } = readResponses([latin1(one.client.received)], { methods, isEnding: false })
      const answered = messages.filter(({ start, isComplete }) => start === '200' && isComplete)
      expect({ seed, answered: answered.length }).toEqual({ seed, answered: due.length })
    }
  })

  test.each(['reset', 'end', 'silence'] as const)(
    'ends every exchange once and forgets everything when the connection is lost by %s',
    async (breakKind) => {
      for (const seed of seeds(80)) {
        const random = createRandom(seed)
        const faults = { ...anyFaults(random), breakRatio: 1, breakWithinBytes: 60_000, breakKind }
        checkAlways(await run(random, seed, WILD, faults))
      }
    },
  )

  test('stays in order with an application that answers early, never reads, or gives up', async () => {
    for (const seed of seeds(120)) {
      const random = createRandom(seed)
      checkAlways(await run(random, seed, WILD, anyFaults(random)))
    }
  })

  test('cuts off clients that read or write too slowly, and keeps what it owes the others', async () => {
    for (const seed of seeds(60)) {
      const random = createRandom(seed)
      const bytesPerSecond = 10 ** (1 + random() * 5)
      checkAlways(await run(random, seed, WILD, { ...anyFaults(random), bytesPerSecond }))
    }
  })
})
