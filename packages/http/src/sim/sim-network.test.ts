import { Deadline, VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { isBreakwaterError } from '@breakwater/core'
import type { Transport, TransportHandler } from '../transport.ts'
import type { LinkFaults } from './faults.ts'
import { SimNetwork } from './sim-network.ts'

/** What happened at one end, with times. */
class Recorder implements TransportHandler {
  transport: Transport | undefined
  received = ''
  readonly pieces: { atMs: number; size: number }[] = []
  readonly log: string[] = []

  onBytes(bytes: Uint8Array, nowMs: number): void {
    this.received += Buffer.from(bytes).toString('latin1')
    this.pieces.push({ atMs: nowMs, size: bytes.length })
  }

  onDrain(nowMs: number): void {
    this.log.push(`${nowMs} drain`)
  }

  onEnd(nowMs: number): void {
    this.log.push(`${nowMs} end`)
  }

  onClose(nowMs: number, error?: Error): void {
    this.log.push(`${nowMs} close${error === undefined ? '' : ` ${error.message}`}`)
  }
}

interface World {
  readonly clock: VirtualClock
  readonly network: SimNetwork
  readonly client: Recorder
  readonly server: Recorder
  readonly errors: string[]
}

async function connected(faults: LinkFaults = {}, seed = 1, highWaterBytes = 65_536): Promise<World> {
  const clock = new VirtualClock()
  const network = new SimNetwork({ seed, clock, faults, highWaterBytes })
  const client = new Recorder()
  const server = new Recorder()
  const errors: string[] = []
  await network.driver('server').listen({ host: '0.0.0.0', port: 80 }, (transport) => {
    server.transport = transport
    return server
  })
  network.driver('client').connect(
    { host: 'server', port: 80 },
    (transport) => {
      client.transport = transport
      return client
    },
    (error, nowMs) => errors.push(`${nowMs} ${error.message}`),
  )
  return { clock, network, client, server, errors }
}

function at(recorder: Recorder): Transport {
  if (recorder.transport === undefined) throw new Error('not connected')
  return recorder.transport
}

describe('SimNetwork', () => {
  test('connects after one round trip and carries bytes both ways after one latency', async () => {
    const { clock, client, server } = await connected({ latencyMs: 10 })
    clock.runUntil(19)
    expect([client.transport !== undefined, server.transport !== undefined]).toEqual([false, true])
    clock.runUntil(20)
    at(client).write('ping')
    clock.runUntil(25)
    at(server).write(Buffer.from('pong'))
    clock.runUntil(100)
    expect(server).toMatchObject({ received: 'ping', pieces: [{ atMs: 30, size: 4 }] })
    expect(client).toMatchObject({ received: 'pong', pieces: [{ atMs: 35, size: 4 }] })
    expect([at(client).remoteAddress, at(server).remoteAddress]).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  test('delivers what one turn wrote in one piece', async () => {
    const { clock, client, server } = await connected()
    clock.runUntil(1)
    at(client).write('a')
    at(client).write('b')
    clock.runUntil(2)
    at(client).write('c')
    clock.runUntil(3)
    expect(server.pieces.map(({ size }) => size)).toEqual([2, 1])
    expect(server.received).toBe('abc')
  })

  test('copies what is written outside a turn, and overwrites what was delivered', async () => {
    const { clock, client, server } = await connected()
    clock.runUntil(1)
    const bytes = Buffer.from('kept')
    at(client).write(bytes)
    bytes.fill(0)
    let view: Uint8Array | undefined
    server.onBytes = (delivered) => {
      server.received += Buffer.from(delivered).toString()
      view = delivered
    }
    clock.runUntil(2)
    expect(server.received).toBe('kept')
    expect(view).toEqual(Buffer.alloc(4, 0xa5))
  })

  test('ends one direction and lets the other go on, then closes both sides in peace', async () => {
    const { clock, client, server } = await connected({ latencyMs: 5 })
    clock.runUntil(10)
    at(client).write('question')
    at(client).end()
    clock.runUntil(20)
    expect(server.log).toEqual(['15 end'])
    at(server).write('answer')
    at(server).end()
    clock.runUntil(100)
    expect(client).toMatchObject({ received: 'answer', log: ['25 end', '25 close'] })
    expect(server.log).toEqual(['15 end', '20 close'])
  })

  test('answers a write to a closed peer with a reset', async () => {
    const { clock, network, client, server } = await connected({ latencyMs: 5 })
    clock.runUntil(10)
    at(server).destroy()
    clock.runUntil(20)
    at(client).write('are you there?')
    clock.runUntil(100)
    expect(server.log).toEqual(['10 close'])
    expect(client.log).toEqual(['15 end', '25 close read ECONNRESET'])
    expect(network.openConnections('client')).toBe(0)
  })

  test('resets the peer when a side closes over bytes it has not read', async () => {
    const { clock, client, server } = await connected({ latencyMs: 5 })
    clock.runUntil(10)
    at(server).pause()
    at(client).write('unread')
    clock.runUntil(20)
    at(server).destroy()
    clock.runUntil(100)
    expect(client.log).toEqual(['20 close read ECONNRESET'])
  })

  test('asks the writer to stop above the high-water mark, and says when to go on', async () => {
    const { clock, client, server } = await connected({}, 1, 1000)
    clock.runUntil(1)
    at(server).pause()
    const answers: boolean[] = []
    for (let turn = 2; turn < 70; turn++) {
      answers.push(at(client).write('x'.repeat(1000)))
      clock.runUntil(turn)
    }
    expect(answers.indexOf(false)).toBe(66)
    expect(at(client).bufferedBytes).toBe(68_000 - 65_536)
    at(server).resume()
    clock.runUntil(100)
    expect(server.received).toHaveLength(68_000)
    expect(client.log).toEqual(['69 drain'])
  })

  test('hands a slow reader its bytes at its own pace', async () => {
    const { clock, client, server } = await connected({ bytesPerSecond: 1000 })
    clock.runUntil(1)
    at(client).write('x'.repeat(1000))
    clock.runUntil(501)
    expect(server.received.length).toBeGreaterThan(480)
    expect(server.received.length).toBeLessThan(560)
    clock.runUntil(1100)
    expect(server.received).toHaveLength(1000)
  })

  test('keeps order under jitter, splits and short segments', async () => {
    const { clock, client, server } = await connected({ jitterMs: 20, splitRatio: 0.7, maxSegmentBytes: 50 })
    clock.runUntil(100)
    const sent = Array.from({ length: 500 }, (_, index) => String(index)).join(',')
    at(client).write(sent)
    clock.runUntil(1000)
    expect(server.received).toBe(sent)
    expect(server.pieces.length).toBeGreaterThan(45)
    expect(Math.max(...server.pieces.map(({ size }) => size))).toBeLessThanOrEqual(50)
    expect(new Set(server.pieces.map(({ atMs }) => atMs)).size).toBeGreaterThan(1)
  })

  test.each([
    ['reset', [/close read ECONNRESET/], [/close read ECONNRESET/]],
    ['end', [/end/, /close$/], [/end/, /close$/]],
    ['silence', [], []],
  ] as const)('loses a connection at a random byte by %s', async (breakKind, clientLog, serverLog) => {
    const { clock, client, server } = await connected({ breakRatio: 1, breakWithinBytes: 50, breakKind }, 5)
    clock.runUntil(1)
    at(client).write('x'.repeat(100))
    at(server).write('y'.repeat(100))
    clock.runUntil(10_000)
    const lost = Math.min(server.received.length, client.received.length)
    expect(lost).toBeLessThan(50)
    expect(client.log).toHaveLength(clientLog.length)
    expect(server.log).toHaveLength(serverLog.length)
    clientLog.forEach((line, index) => expect(client.log[index]).toMatch(line))
    serverLog.forEach((line, index) => expect(server.log[index]).toMatch(line))
  })

  test('refuses a connection where nobody listens, and by lot', async () => {
    const { clock, network, errors } = await connected({ latencyMs: 3, refuseRatio: 1 })
    const fail = (error: Error, nowMs: number): void => void errors.push(`${nowMs} ${error.message}`)
    network.driver('client').connect({ host: 'server', port: 81 }, () => new Recorder(), fail)
    network.driver('client').connect({ host: 'nowhere', port: 80 }, () => new Recorder(), fail)
    clock.runUntil(10)
    expect(errors).toEqual([
      '0 connect nowhere:80 ENOTFOUND',
      '6 connect server:80 ECONNREFUSED',
      '6 connect server:81 ECONNREFUSED',
    ])
  })

  test('leaves a connection attempt without an answer until it times out, or is called off', async () => {
    const { clock, network, errors } = await connected({ blackHoleRatio: 1 })
    const cancelled = network.driver('client').connect(
      { host: 'server', port: 80 },
      () => new Recorder(),
      () => errors.push('called in spite of cancel'),
    )
    cancelled.cancel()
    clock.runUntil(126_000)
    expect(errors).toEqual([])
    clock.runUntil(128_000)
    expect(errors).toEqual(['127000 connect server:80 ETIMEDOUT'])
  })

  test('resets a connection that was called off while it opened', async () => {
    const clock = new VirtualClock()
    const network = new SimNetwork({ seed: 1, clock, faults: { latencyMs: 5 } })
    const server = new Recorder()
    await network.driver('server').listen({ host: '', port: 80 }, () => server)
    const attempt = network.driver('client').connect(
      { host: 'server', port: 80 },
      () => server,
      () => undefined,
    )
    clock.runUntil(6)
    attempt.cancel()
    clock.runUntil(100)
    expect(server.log).toEqual(['15 end'])
    expect(network.openConnections('client')).toBe(0)
  })

  test('holds everything back on a link that is cut, and lets it pass when the link is whole again', async () => {
    const { clock, network, client, server, errors } = await connected()
    clock.runUntil(1)
    network.setFaults('client', 'server', { isCut: true })
    at(client).write('late')
    at(server).write('other direction')
    clock.runUntil(5000)
    expect([server.received, client.received]).toEqual(['', 'other direction'])
    network.setFaults('client', '*', {})
    clock.runUntil(5001)
    expect(server.pieces).toEqual([{ atMs: 5000, size: 4 }])
    expect(errors).toEqual([])
  })

  test('queues connections of a host that stands still up to its backlog, then leaves them without an answer', async () => {
    const clock = new VirtualClock()
    const network = new SimNetwork({ seed: 1, clock })
    const accepted: number[] = []
    const opened: number[] = []
    await network.driver('server').listen({ host: '', port: 80, backlog: 2 }, (_, nowMs) => {
      accepted.push(nowMs)
      return new Recorder()
    })
    network.freeze('server')
    for (let count = 0; count < 4; count++)
      network.driver('client').connect(
        { host: 'server', port: 80 },
        (_, nowMs) => {
          opened.push(nowMs)
          return new Recorder()
        },
        () => undefined,
      )
    clock.runUntil(500)
    expect([accepted, opened]).toEqual([[], [0, 0]])
    network.thaw('server')
    clock.runUntil(2000)
    expect([accepted, opened]).toEqual([
      [500, 500, 1000, 1000],
      [0, 0, 1000, 1000],
    ])
  })

  test('closes connections above maxConnections at once, and counts those that are open', async () => {
    const clock = new VirtualClock()
    const network = new SimNetwork({ seed: 1, clock })
    const listener = await network
      .driver('server')
      .listen({ host: '', port: 80, maxConnections: 1 }, () => new Recorder())
    const clients = [new Recorder(), new Recorder()]
    for (const client of clients)
      network.driver('client').connect(
        { host: 'server', port: 80 },
        (transport) => {
          client.transport = transport
          return client
        },
        () => undefined,
      )
    clock.runUntil(10)
    expect(clients.map(({ log }) => log)).toEqual([[], ['0 end']])
    expect(listener.connections).toBe(1)
    at(clients[0] as Recorder).destroy()
    clock.runUntil(11)
    expect(listener.connections).toBe(1)
    await listener.close()
    const errors: string[] = []
    network.driver('client').connect(
      { host: 'server', port: 80 },
      () => new Recorder(),
      (error) => errors.push(error.message),
    )
    clock.runUntil(12)
    expect(errors).toEqual(['connect server:80 ECONNREFUSED'])
  })

  test('loses every connection and every port of a host that crashes', async () => {
    const { clock, network, client, server, errors } = await connected()
    clock.runUntil(1)
    network.crash('server')
    clock.runUntil(2)
    expect([client.log, server.log]).toEqual([['1 close read ECONNRESET'], ['1 close read ECONNRESET']])
    network.driver('client').connect(
      { host: 'server', port: 80 },
      () => client,
      (error) => errors.push(error.message),
    )
    clock.runUntil(3)
    expect(errors).toEqual(['connect server:80 ECONNREFUSED'])
  })

  test('moves the deadline wheel of each host, to the millisecond, but not of one that stands still', async () => {
    const clock = new VirtualClock()
    const network = new SimNetwork({ seed: 1, clock })
    const expired: string[] = []
    const { wheel } = network.driver('a')
    const again = new Deadline((nowMs) => {
      expired.push(`again ${nowMs}`)
      if (nowMs < 3_600_000) wheel.arm(again, nowMs + 1_800_000)
    })
    const late = new Deadline((nowMs) => expired.push(`late ${nowMs}`))
    wheel.arm(late, 500)
    wheel.arm(again, 100.5)
    const still = new Deadline((nowMs) => expired.push(`still ${nowMs}`))
    network.driver('b').wheel.arm(still, 200)
    network.freeze('b')
    clock.runUntil(1000)
    network.thaw('b')
    clock.runUntil(7_200_000)
    expect(expired).toEqual(['again 100.5', 'late 500', 'still 1000', 'again 1800100.5', 'again 3600100.5'])
    expect(clock.nextDueMs()).toBe(Infinity)
  })

  test('refuses a port that is taken, and faults out of range', async () => {
    const { network } = await connected()
    const taken = await network
      .driver('server')
      .listen({ host: '', port: 80 }, () => new Recorder())
      .catch((error: unknown) => error)
    expect(isBreakwaterError(taken) && taken.code).toBe('BW_HTTP_LISTEN_FAILED')
    expect(() => network.setFaults('*', '*', { splitRatio: 2, latencyMs: -1 })).toThrow(
      'latencyMs must be 0 or more, got -1; splitRatio must be from 0 to 1, got 2',
    )
  })

  test('runs the same from the same seed, and differently from another', async () => {
    const run = async (seed: number): Promise<string> => {
      const { clock, client, server } = await connected(
        { latencyMs: 1, jitterMs: 9, splitRatio: 0.5, breakRatio: 0.5, breakWithinBytes: 20_000 },
        seed,
      )
      clock.runUntil(50)
      for (let turn = 0; turn < 50; turn++) {
        at(client).write('q'.repeat(300))
        at(server).write('a'.repeat(300))
        clock.runUntil(60 + turn)
      }
      clock.runUntil(1000)
      return JSON.stringify([client.pieces, client.log, server.pieces, server.log])
    }
    const runs = await Promise.all([run(1), run(1), run(2), run(3), run(4)])
    expect(runs[0]).toBe(runs[1])
    expect(new Set(runs).size).toBe(4)
  })
})
