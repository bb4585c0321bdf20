import { createRandom, isBreakwaterError, VirtualClock } from '@breakwater/core'
import type { Random } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { FieldList, HttpServer, SimNetwork, UpstreamPool } from '../src/index.ts'
import type { ClientExchange, LinkFaults } from '../src/index.ts'

import { Application, textOf } from './support/application.ts'
import type { Habits } from './support/application.ts'

const HABITS: Habits = {
  abortRatio: 0.05,
  bodies: ['reads', 'reads', 'pauses', 'answers early', 'never reads'],
  maxDelayMs: 60,
  maxAnswerBytes: 200_000,
}
const FOREVER_MS = 172_800_000
const REQUESTS = 15

/** What one request saw. */
interface Story {
  readonly id: string
  readonly method: string
  heads: number
  status: number
  answerId: string
  answerBytes: number
  body: string
  ends: number
  errors: number
  isGivenUp: boolean
  readonly wrongs: string[]
}

interface World {
  readonly clock: VirtualClock
  readonly random: Random
  readonly pool: UpstreamPool
}

/** Sends one request as a hurried and sometimes fickle caller would. */
function send({ clock, random, pool }: World, id: string): Story {
  const dice = random()
  const method = dice < 0.4 ? 'GET' : dice < 0.5 ? 'HEAD' : 'POST'
  // Without a body the engine could send it again: only its method forbids that.
  const hasBody = method === 'POST' && random() < 0.5
  const body = hasBody ? textOf(id, Math.floor(random() ** 3 * 80_000)) : ''
  const story: Story = {
    id,
    method,
    heads: 0,
    status: 0,
    answerId: '',
    answerBytes: -1,
    body: '',
    ends: 0,
    errors: 0,
    isGivenUp: false,
    wrongs: [],
  }
  const isOver = (): boolean => story.ends + story.errors > 0 || story.isGivenUp
  const note = (what: string): void => {
    if (isOver()) story.wrongs.push(`${what} after the last call`)
  }
  const isChunked = random() < 0.5
  const framing =
    body === ''
      ? ({ kind: 'none' } as const)
      : isChunked
        ? ({ kind: 'chunked' } as const)
        : ({ kind: 'length', bytes: body.length } as const)
  let left = Buffer.from(body)
  let exchange: ClientExchange | undefined
  const upload = (): void => {
    while (!isOver() && exchange !== undefined && left.length > 0) {
      const size = 1 + Math.floor(random() * Math.min(left.length, 20_000))
      const isOpen = exchange.sendData(Buffer.from(left.subarray(0, size)))
      left = left.subarray(size)
      if (!isOpen) return
    }
    if (left.length === 0) exchange?.sendEnd()
  }
  const fields = FieldList.from([['x-id', id]])
  try {
    exchange = pool.send(
      { method, target: id, authority: 'upstream', fields, framing },
      {
        onInformational: () => note('an informational head'),
        onHead: (head) => {
          note('a head')
          story.heads++
          story.status = head.status
          story.answerId = head.fields.get('x-id') ?? ''
          story.answerBytes = Number(head.fields.get('x-bytes'))
        },
        onData: (chunk) => {
          note('data')
          story.body += Buffer.from(chunk).toString('latin1')
          if (random() > 0.1) return
          exchange?.pauseBody()
          clock.schedule(random() * 50, () => exchange?.resumeBody())
        },
        onEnd: () => {
          note('the end')
          story.ends++
        },
        onError: () => {
          note('an error')
          story.errors++
        },
        onWritable: () => upload(),
      },
      clock.now(),
    )
  } catch (error) {
    if (!isBreakwaterError(error)) throw error
    story.errors++
    return story
  }
  upload()
  if (random() < 0.1)
    clock.schedule(random() * 200, () => {
      if (isOver()) return
      story.isGivenUp = true
      exchange?.abort()
    })
  return story
}

function check(story: Story, application: Application): void {
  const { id, method } = story
  const end = story.ends + story.errors
  expect({ id, end, wrongs: story.wrongs }).toEqual({ id, end: story.isGivenUp ? 0 : 1, wrongs: [] })
  if (story.heads > 0 && story.status === 200) {
    const whole = method === 'HEAD' ? '' : textOf(id, story.answerBytes)
    expect(story.answerId).toBe(id)
    expect(story.ends === 1 ? story.body === whole : whole.startsWith(story.body)).toBe(true)
  }
  // What may not happen twice reaches the upstream once at the most; the rest is replayed once at the most.
  const seen = application.episodes.filter((episode) => episode.id === id).length
  expect(seen).toBeLessThanOrEqual(method === 'POST' ? 1 : 2)
}

async function run(seed: number, faultsOf: (random: Random) => LinkFaults): Promise<number> {
  const random = createRandom(seed)
  const clock = new VirtualClock()
  const network = new SimNetwork({ seed, clock, faults: faultsOf(random) })
  const driver = network.driver('gateway')
  const upstream = network.driver('upstream')
  const application = new Application(clock, random, HABITS)
  // The upstream closes idle connections early, so that requests race with its close.
  const server = await HttpServer.open(upstream, { host: '', port: 80 }, application, {
    keepAliveTimeoutMs: 40,
  })
  const pool = new UpstreamPool(
    driver,
    { host: 'upstream', port: 80 },
    { maxConnections: 1 + Math.floor(random() * 4), maxPending: 5, pendingTimeoutMs: 500 },
  )
  const stories: Story[] = []
  for (let index = 0; index < REQUESTS; index++)
    clock.schedule(random() * 1500, () => stories.push(send({ clock, random, pool }, `/${index}`)))
  clock.runUntil(FOREVER_MS)
  expect(stories).toHaveLength(REQUESTS)
  for (const story of stories) check(story, application)
  expect(application.wrongs).toEqual([])
  expect(application.episodes.filter(({ exchange }) => !exchange.done)).toEqual([])
  const { open, idle, connecting, pending } = pool.counters
  expect({
    seed,
    gauges: [open, idle, connecting, pending],
    connections: [
      server.connections,
      network.openConnections('gateway'),
      network.openConnections('upstream'),
    ],
    wheels: [driver.wheel.size, upstream.wheel.size],
  }).toEqual({ seed, gauges: [0, 0, 0, 0], connections: [0, 0, 0], wheels: [0, 0] })
  return stories.filter(({ ends }) => ends === 1).length
}

const anyFaults = (random: Random): LinkFaults => ({
  latencyMs: random() * 20,
  jitterMs: random() < 0.5 ? 0 : random() * 30,
  splitRatio: random() < 0.3 ? 0 : random() * 0.8,
})

async function runMany(count: number, faultsOf: (random: Random) => LinkFaults): Promise<number> {
  let answered = 0
  for (let seed = 0; seed < count; seed++) answered += await run(seed, faultsOf)
  return answered
}

describe('an upstream pool over an unkind network', () => {
  test('gives every caller exactly one ending, and its own answer', async () => {
    expect(await runMany(80, anyFaults)).toBeGreaterThan(80 * REQUESTS * 0.6)
  })

  test.each(['reset', 'end', 'silence'] as const)(
    'does so too when connections are lost by %s, and sends nothing twice that must happen once',
    async (breakKind) => {
      const faultsOf = (random: Random): LinkFaults => ({
        ...anyFaults(random),
        breakRatio: 0.7,
        breakWithinBytes: 50_000,
        breakKind,
      })
      expect(await runMany(60, faultsOf)).toBeGreaterThan(60 * REQUESTS * 0.2)
    },
  )

  test('does so too when connections are refused or get no answer', async () => {
    const faultsOf = (random: Random): LinkFaults => ({
      ...anyFaults(random),
      refuseRatio: 0.3,
      blackHoleRatio: 0.3,
    })
    expect(await runMany(60, faultsOf)).toBeGreaterThan(60 * REQUESTS * 0.1)
  })
})
