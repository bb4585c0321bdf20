import { createRandom } from '@breakwater/core'
import type { Random } from '@breakwater/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { NetDriver, Transport } from '../src/index.ts'
import { End, connect, join } from './support/ends.ts'
import { DRIVER_KINDS } from './support/kinds.ts'

const opened: NetDriver[] = []
const own = (driver: NetDriver): NetDriver => {
  opened.push(driver)
  return driver
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((driver) => driver.close()))
})

/** Says nothing, and ends when the other side does. */
function polite(transport: Transport): End {
  const end = new End(transport)
  void end.ended.then(() => transport.end())
  return end
}

const soon = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** No two places of it look the same: bytes that change places are seen. */
const NOISE = Buffer.from(Uint32Array.from({ length: 270_000 }, (_, at) => Math.imul(at, 0x9e37_79b1)).buffer)

/** Sends chunks of every size with pauses and stops in between, and half-closes; the other side echoes. */
async function converse(near: End, far: End, random: Random): Promise<void> {
  const sent: Buffer[] = []
  void far.ended.then(() => far.transport.end())
  for (let step = 0; step < 60; step++) {
    const luck = random()
    if (luck < 0.1) near.transport.pause()
    else if (luck < 0.2) near.transport.resume()
    else if (luck < 0.3) await soon(1)
    else {
      const size = Math.floor(random() ** 3 * 1_000_000)
      const chunk = NOISE.subarray(step * 1_000, step * 1_000 + size)
      sent.push(chunk)
      near.transport.write(luck < 0.7 ? chunk.toString('latin1') : chunk)
    }
  }
  near.transport.end()
  near.transport.resume()
  expect(await near.closed).toBeUndefined()
  expect(await far.closed).toBeUndefined()
  expect(Buffer.concat(near.got).equals(Buffer.concat(sent))).toBe(true)
}

const pairs = DRIVER_KINDS.flatMap((from) => DRIVER_KINDS.map((to) => ({ from, to })))

describe.each(pairs)('from $from.kind to $to.kind', ({ from, to }) => {
  test.each([1, 2, 3, 4, 5, 6])(
    'what is written arrives whole and in order, whoever stops meanwhile (seed %i)',
    async (seed) => {
      const [driver, server] = [own(from.open()), own(to.open())]
      const { near, far } = await join(driver, server, (end, bytes) => {
        if (!end.transport.write(bytes)) end.transport.pause()
      })
      await converse(near, far, createRandom(seed))
    },
  )

  test('a half-close leaves the other direction open; the second one ends both sides in peace', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    near.transport.write('ask')
    near.transport.end()
    await far.ended
    far.transport.write('answer')
    far.transport.end()
    expect([await near.closed, await far.closed]).toEqual([undefined, undefined])
    expect([far.text, near.text]).toEqual(['ask', 'answer'])
  })

  test('a reset reaches the other side as an error, not as an end', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    near.transport.write('half of it')
    await soon()
    near.transport.destroy(true)
    expect(await far.closed).toMatchObject({ code: 'ECONNRESET' })
    expect(await near.closed).toBeUndefined()
    expect(far.text).toBe('half of it')
  })

  test('who destroys is told nothing more of what came before', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()), ({ transport }) => transport.destroy())
    far.transport.pause()
    for (const piece of ['one', 'two', 'three']) {
      near.transport.write(piece)
      await soon()
    }
    far.transport.resume()
    await far.closed
    expect(far.got).toHaveLength(1)
  })

  test('a reset in the turn of a half-close closes', async () => {
    const { near } = await join(own(from.open()), own(to.open()))
    near.transport.end()
    near.transport.destroy(true)
    expect(await near.closed).toBeUndefined()
  })

  test('who writes to somebody who has gone is told by a close, once, and later writes do no harm', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    far.transport.destroy()
    await near.ended
    for (let write = 0; write < 5; write++) {
      near.transport.write('x'.repeat(1_000))
      await soon(5)
    }
    await near.closed
    expect(near.transport.write('nobody hears this')).toBe(true)
    near.transport.destroy()
    near.transport.end()
  })

  test('what was written in the turn of a destroy does not arrive after the close', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    near.transport.write('first')
    await soon()
    near.transport.destroy()
    near.transport.write('never')
    await far.ended
    expect(far.text).toBe('first')
    far.transport.destroy()
  })

  test('a paused side reads nothing, not even the end, until it goes on', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    far.transport.pause()
    near.transport.write('later')
    near.transport.end()
    await soon(50)
    expect(far.text).toBe('')
    far.transport.resume()
    await far.ended
    expect(far.text).toBe('later')
    far.transport.end()
    await far.closed
  })

  test('a full pipe says stop, counts what waits, and says go when it has emptied', async () => {
    const { near, far } = await join(own(from.open()), own(to.open()))
    far.transport.pause()
    const chunk = Buffer.alloc(262_144, 'b')
    let sent = 0
    while (near.transport.write(chunk)) {
      sent += chunk.length
      await soon(1)
    }
    sent += chunk.length
    await soon(50)
    expect(near.transport.bufferedBytes).toBeGreaterThan(0)
    expect(near.transport.writtenBytes).toBe(sent)
    expect(near.drains).toBe(0)
    far.transport.resume()
    while (near.drains === 0) await soon(5)
    expect(near.drains).toBe(1)
    near.transport.end()
    await far.ended
    expect(Buffer.concat(far.got).length).toBe(sent)
    far.transport.end()
    await near.closed
  })
})

describe.each(DRIVER_KINDS)('the $kind driver', ({ open }) => {
  test('tells who the other side is, by IPv4 and by IPv6', async () => {
    const driver = own(open())
    for (const host of ['127.0.0.1', '::1']) {
      const { near, far } = await join(driver, driver, undefined, host)
      expect([near.transport.remoteAddress, far.transport.remoteAddress]).toEqual([host, host])
      expect(near.transport.remotePort).toBeGreaterThan(0)
      expect(far.transport.remotePort).not.toBe(near.transport.remotePort)
    }
  })

  test('listens to IPv4 too where it listens to all of IPv6', async () => {
    const driver = own(open())
    const listener = await driver.listen({ host: '::', port: 0 }, polite)
    const end = await connect(driver, listener.port, '127.0.0.1')
    expect(end.transport.remoteAddress).toBe('127.0.0.1')
  })

  test('finds the address of a name on which somebody listens', async () => {
    const driver = own(open())
    const { listener } = await join(driver, driver)
    const end = await connect(driver, listener.port, 'localhost')
    expect(end.transport.remoteAddress).toBe('127.0.0.1')
  })

  test('a connection that is called off is none', async () => {
    const driver = own(open())
    let accepted = 0
    const listener = await driver.listen({ host: '127.0.0.1', port: 0 }, (transport) => {
      accepted++
      return polite(transport)
    })
    for (const host of ['127.0.0.1', 'localhost']) {
      driver
        .connect(
          { host, port: listener.port },
          () => expect.unreachable(),
          () => expect.unreachable(),
        )
        .cancel()
    }
    await soon(50)
    expect(listener.connections).toBe(0)
    expect(accepted).toBeLessThanOrEqual(1)
  })

  test('closing ends the attempts to connect that are under way, and calling them off afterwards does no harm', async () => {
    const driver = own(open())
    const { port } = await driver.listen({ host: '127.0.0.1', port: 0 }, () => expect.unreachable())
    const failures: string[] = []
    const attempts = ['127.0.0.1', '127.0.0.1', 'localhost'].map((host) =>
      driver.connect(
        { host, port },
        () => expect.unreachable(),
        (error) => void failures.push(error.message),
      ),
    )
    await driver.close()
    await soon()
    expect(failures).toEqual(attempts.map(() => 'the connection closed before it was ready'))
    for (const attempt of attempts) attempt.cancel()
    await soon()
  })

  test('closes at once whoever comes above the limit, and counts those who leave', async () => {
    const driver = own(open())
    const listener = await driver.listen({ host: '127.0.0.1', port: 0, maxConnections: 2 }, polite)
    const ends = [await connect(driver, listener.port), await connect(driver, listener.port)]
    await soon()
    expect(listener.connections).toBe(2)
    const third = await connect(driver, listener.port)
    await third.ended
    for (const end of ends) end.transport.destroy()
    while (listener.connections > 0) await soon(5)
    listener.prepare({ maxConnections: 0 }, polite)()
    const fourth = await connect(driver, listener.port)
    await fourth.ended
    expect(listener.connections).toBe(0)
  })

  test('a turn that writes to a hundred connections reaches all of them', async () => {
    const driver = own(open())
    const crowd: End[] = []
    const listener = await driver.listen({ host: '127.0.0.1', port: 0 }, (transport) => {
      const end = new End(transport, () => {
        for (const other of crowd) other.transport.write('all of you')
      })
      crowd.push(end)
      return end
    })
    const ends = await Promise.all(Array.from({ length: 100 }, () => connect(driver, listener.port)))
    while (crowd.length < ends.length) await soon(5)
    ends[0]?.transport.write('go')
    await soon(50)
    expect(ends.map(({ text }) => text)).toEqual(ends.map(() => 'all of you'))
  })

  test('a handler that throws does not keep the others of its round from being told', async () => {
    const driver = own(open())
    const uncaught: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      const { listener, near } = await join(driver, driver, (end, bytes) => {
        if (bytes.toString() === 'boom') throw new Error('a bug')
        end.transport.write(bytes)
      })
      const others = await Promise.all([connect(driver, listener.port), connect(driver, listener.port)])
      near.transport.write('boom')
      for (const other of others) other.transport.write('hello')
      await soon()
      expect(others.map(({ text }) => text)).toEqual(['hello', 'hello'])
      expect(uncaught).toHaveLength(1)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const each of listeners) process.on('uncaughtException', each)
    }
  })
})
