import { createRandom } from '@breakwater/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { RawClient } from '../drills/lab/raw-client.ts'
import { parseAnswers } from './support/answers.ts'
import { Origin, Stage, reply, requestText } from './support/stage.ts'

const ON = {
  upstream: {
    endpoints: ['a:80', 'b:80'],
    bulkhead: { maxConcurrent: 3, maxQueue: 4, maxWait: '80ms' as const },
    adaptiveLimit: { initialLimit: 6, minLimit: 2, maxLimit: 8 },
    breaker: { minCalls: 10, openFor: '200ms' as const },
    clientThrottle: true,
    outlierEjection: true,
    retryBudget: true,
    pool: { maxConnections: 3, maxPending: 3, maxPendingWait: '100ms' as const },
    timeouts: { connect: '60ms' as const, firstByte: '200ms' as const, bodyIdle: '300ms' as const },
  },
  route: {
    timeout: '400ms' as const,
    perTryTimeout: '150ms' as const,
    maxDuration: '2s' as const,
    deadline: true,
    retry: true,
    hedge: { minSamples: 5, minDelay: '5ms' as const },
    idempotencyKey: true,
    coalesce: { maxAnswer: '2KiB' as const },
    staleIfError: true,
    ladder: { steps: [{ serve: 'stale' as const }, { serve: 'static' as const, body: 'static' }] },
  },
}

const schedule = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  breakRatio: fc.constantFrom(0, 0.1, 0.5),
  breakWithinBytes: fc.constantFrom(50, 400, 4000),
  breakKind: fc.constantFrom('reset' as const, 'end' as const, 'silence' as const),
  refuseRatio: fc.constantFrom(0, 0.2),
  blackHoleRatio: fc.constantFrom(0, 0.1),
  latencyMs: fc.constantFrom(0.5, 20),
  maxSegmentBytes: fc.constantFrom(1, 7, 1000),
  splitRatio: fc.constantFrom(0, 0.3),
  bytesPerSecond: fc.constantFrom(Infinity, 200_000),
  clients: fc.integer({ min: 2, max: 14 }),
  shed: fc.boolean(),
})

interface Asked {
  readonly client: RawClient
  readonly markers: string[]
  readonly isHead: boolean
  /** Does not read, and so cannot see a cut. */
  readonly isDeaf: boolean
}

/** An upstream that answers as it pleases, with the marker of the request in every part of what it says. */
async function moody(stage: Stage, name: string, random: () => number): Promise<Origin> {
  const origin = await Origin.open(stage, name)
  origin.respond = ({ exchange, request }) => {
    const marker = request.fields.get('x-marker') ?? '?'
    const delayMs = random() < 0.2 ? 250 * random() : 10 * random()
    stage.clock.schedule(delayMs, () => {
      const mood = random()
      if (mood < 0.1) return exchange.abort()
      if (mood < 0.2) return reply(exchange, 503, marker, { 'retry-after': '1' })
      if (mood < 0.3) return reply(exchange, 500, marker)
      if (mood < 0.35) return
      const fields = request.fields
      fields.flat.length = 0
      fields.append('x-marker', marker)
      if (mood < 0.5) fields.append('content-type', 'text/event-stream')
      exchange.sendHead(200, fields, { kind: 'chunked' })
      const parts = 1 + Math.floor(random() * 6)
      const part = (left: number): void => {
        if (left === 0) return exchange.sendEnd()
        if (random() < 0.03) return exchange.abort()
        exchange.sendData(Buffer.from(`[${marker}]`.repeat(1 + Math.floor(random() * 60))))
        stage.clock.schedule(20 * random(), () => part(left - 1))
      }
      part(parts)
    })
  }
  return origin
}

function askSomething(stage: Stage, random: () => number, id: number): Asked {
  const client = stage.client(`client${id % 3}`)
  const isHead = random() < 0.05
  const isPipelined = !isHead && random() < 0.3
  const markers = Array.from({ length: isPipelined ? 3 : 1 }, (_, n) => `m${id}-${n}`)
  for (const marker of markers) {
    const fields = [`X-Marker: ${marker}`]
    const kind = random()
    if (random() < 0.2) fields.push(`X-Request-Deadline-Ms: ${Math.floor(random() * 300)}`)
    if (isHead) client.write(requestText('HEAD /shop/x', fields, ''))
    // Equal ones share a call, so these carry no mark.
    else if (kind < 0.2) client.write(requestText('GET /shop/shared', [], ''))
    else if (kind < 0.5) client.write(requestText(`GET /shop/${marker}`, fields, ''))
    else if (kind < 0.75) client.write(requestText('POST /shop/x', fields, marker.repeat(1 + random() * 300)))
    else client.write(requestText('POST /shop/y', [...fields, `Idempotency-Key: ${marker}`], marker))
  }
  if (random() < 0.25) stage.clock.schedule(300 * random(), () => client.close())
  const isDeaf = random() < 0.1
  if (isDeaf) client.pauseAfter(50)
  return { client, markers, isHead, isDeaf }
}

test('every request gets one whole answer of its own or a visible cut, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ clients, seed, shed, ...faults }) => {
      const stage = await Stage.open({
        services: { shop: ON },
        rest: { shed },
        seed,
        faults: { latencyMs: 1 },
      })
      stage.network.setFaults('gateway', '*', faults)
      // A client whose network falls silent can see nothing: silence stays between the gateway and its upstreams.
      const breakRatio = faults.breakKind === 'silence' ? 0 : faults.breakRatio
      stage.network.setFaults('client1', 'gateway', {
        ...faults,
        breakRatio,
        refuseRatio: 0,
        blackHoleRatio: 0,
      })
      const random = createRandom(seed)
      await moody(stage, 'a', random)
      await moody(stage, 'b', random)
      const asked: Asked[] = []
      for (let id = 0; id < clients * 4; id++) {
        asked.push(askSomething(stage, random, id))
        stage.run(40 * random())
      }
      stage.run(5_000)
      for (const { client, markers, isHead, isDeaf } of asked) {
        const answers = parseAnswers(client.received, isHead)
        expect(answers.length).toBeLessThanOrEqual(markers.length)
        for (const [index, { status, body, fields, isWhole }] of answers.entries()) {
          expect(status).toBeGreaterThanOrEqual(200)
          // What it says is its own: no other request's marker is in it.
          const own = markers[index]
          for (const found of body.matchAll(/m\d+-\d+/g)) expect(found[0]).toBe(own)
          if (fields.has('x-marker') && fields.get('x-marker') !== '?')
            expect(fields.get('x-marker')).toBe(own)
          if (!isWhole && !isDeaf) expect(client.closedMs).toBeDefined()
        }
        // Missing answers are explained by the end of the connection, never by silence.
        if (answers.length < markers.length && !isDeaf) expect(client.closedMs).toBeDefined()
      }
      for (const { client } of asked) client.close()
      stage.run(70_000)
      expect(stage.leftovers()).toEqual({
        endpoints: 0,
        pending: 0,
        bulkheads: 0,
        queued: 0,
        adaptive: 0,
        requests: 0,
      })
      expect(stage.gateway.status().listeners[0]?.connections).toBe(0)
      await stage.gateway.close()
      stage.run(1_000)
      expect(stage.host('gateway').wheel.size).toBe(0)
    }),
    { numRuns: 40 },
  )
}, 60_000)
