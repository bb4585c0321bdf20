import { VirtualClock } from '@breakwater/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldList, HttpServer, SimNetwork, UpstreamPool } from '../src/index.ts'
import type { BodyFraming } from '../src/index.ts'
import type { LinkFaults } from '../src/sim/faults.ts'
import { echo, openRelay } from './support/relay.ts'

interface Sent {
  readonly bytes: number
  readonly isChunked: boolean
}

interface Outcome {
  readonly sent: Buffer
  received: Buffer[]
  status: number
  end: '' | 'complete' | 'failed'
}

const faults = fc.record({
  latencyMs: fc.integer({ min: 0, max: 20 }),
  jitterMs: fc.integer({ min: 0, max: 5 }),
  maxSegmentBytes: fc.constantFrom(65_536, 1_460, 100, 7, 1),
  splitRatio: fc.constantFrom(0, 0.3),
  bytesPerSecond: fc.constantFrom(Infinity, 1_000_000, 20_000),
})

const requests = fc.array(fc.record({ bytes: fc.nat(1_500), isChunked: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
})

/** Clients send bodies through a relay to a service that sends them back; all over one simulated network. */
async function run(seed: number, sends: readonly Sent[], link: LinkFaults, breakRatio: number) {
  const clock = new VirtualClock()
  const network = new SimNetwork({ seed, clock, faults: { ...link, breakRatio }, highWaterBytes: 1_024 })
  const patient = { minBytesPerSecond: 0 }
  await HttpServer.open(
    network.driver('service'),
    { host: '0.0.0.0', port: 80 },
    { onRequest: echo },
    patient,
  )
  const relay = await openRelay(
    network.driver('relay'),
    { host: '0.0.0.0', port: 80 },
    { host: 'service', port: 80 },
    { maxConnections: 2 },
    patient,
  )
  const pool = new UpstreamPool(
    network.driver('client'),
    { host: 'relay', port: 80 },
    { maxConnections: 3, pendingTimeoutMs: 60_000 },
  )
  const outcomes = sends.map((send, at): Outcome => {
    const sent = Buffer.alloc(send.bytes, `body ${at} `)
    const outcome: Outcome = { sent, received: [], status: 0, end: '' }
    const framing: BodyFraming = send.isChunked ? { kind: 'chunked' } : { kind: 'length', bytes: send.bytes }
    const exchange = pool.send(
      { method: 'POST', target: `/${at}`, authority: 'shop', fields: new FieldList(), framing },
      {
        onHead: (head) => (outcome.status = head.status),
        onData: (chunk) => outcome.received.push(Buffer.from(chunk)),
        onEnd: () => (outcome.end += 'complete'),
        onError: () => (outcome.end += 'failed'),
      },
      clock.now(),
    )
    exchange.sendData(sent)
    exchange.sendEnd()
    return outcome
  })
  await clock.advance(120_000)
  return { outcomes, relay, pool }
}

describe('a relay', () => {
  test('brings every body there and back unchanged, however the network cuts and slows it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), requests, faults, async (seed, sends, link) => {
        const { outcomes, relay, pool } = await run(seed, sends, link, 0)
        for (const { sent, received, status, end } of outcomes) {
          expect({ status, end, bytes: Buffer.concat(received).toString() }).toEqual({
            status: 200,
            end: 'complete',
            bytes: sent.toString(),
          })
        }
        // Unused connections have closed by now, and nobody waits for anything.
        expect(relay.pool.counters).toMatchObject({ open: 0, connecting: 0, pending: 0 })
        expect(pool.counters).toMatchObject({ open: 0, connecting: 0, pending: 0 })
      }),
      { numRuns: 20 },
    )
  })

  test('ends every exchange exactly once when connections break, and never passes a part off as the whole', async () => {
    let whole = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(), requests, faults, async (seed, sends, link) => {
        const { outcomes, relay, pool } = await run(seed, sends, link, 0.5)
        for (const { sent, received, status, end } of outcomes) {
          expect(['complete', 'failed']).toContain(end)
          if (end !== 'complete' || status !== 200) continue
          whole++
          expect(Buffer.concat(received).equals(sent)).toBe(true)
        }
        expect(relay.pool.counters).toMatchObject({ open: 0, connecting: 0, pending: 0 })
        expect(pool.counters).toMatchObject({ open: 0, connecting: 0, pending: 0 })
      }),
      { numRuns: 20 },
    )
    expect(whole).toBeGreaterThan(0)
  })
})
