// What comes on many connections at once: a driver may read several of them before it tells the first.
import { afterEach, describe, expect, test } from 'vitest'
import type { NetDriver, Transport } from '../src/index.ts'
import { End, connect } from './support/ends.ts'
import { DRIVER_KINDS } from './support/kinds.ts'

const opened: NetDriver[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((driver) => driver.close()))
})

const COUNT = 40
/** Longer than a driver needs for all that is there. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40))
const messageOf = (index: number): string => `${index}:`.padEnd(20 + index * 97, `${index}.`)

/** Short enough to be read when it is not what was expected. */
function nameOf(text: string, times: number): string {
  const number = Number.parseInt(text, 10)
  return text === messageOf(number).repeat(times) ? `${number}` : `${number}, but ${text.length} bytes`
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

describe.each(DRIVER_KINDS)(
  'connections of the $kind driver on which something comes at once',
  ({ open }) => {
    /** Both ends of many connections, in their order. `onFirst` is called whenever something comes on the first. */
    async function openMany(onFirst: (others: readonly End[], call: number) => void) {
      const driver = open()
      opened.push(driver)
      const ends: End[] = []
      let calls = 0
      const listener = await driver.listen({ host: '127.0.0.1', port: 0 }, (transport) => {
        const end: End = new End(transport, () => {
          if (end === ends[0]) onFirst(ends.slice(1), ++calls)
        })
        ends.push(end)
        return end
      })
      const peers: Transport[] = []
      for (let index = 0; index < COUNT; index++) {
        peers.push((await connect(driver, listener.port)).transport)
        while (ends.length <= index) await soon()
      }
      const write = (indices: readonly number[]): void => {
        for (const index of indices) peers[index]?.write(messageOf(index))
      }
      return { ends, peers, write, openAnother: () => connect(driver, listener.port) }
    }

    const isOdd = (_: unknown, index: number): boolean => index % 2 === 1

    test('wait while the first has paused them, and then get what was theirs, byte by byte', async () => {
      const { ends, write } = await openMany((others, call) => {
        for (const { transport } of others.filter(isOdd)) if (call === 1) transport.pause()
      })
      write(range(0, COUNT))
      await soon()
      const waiting = ends.slice(1).filter(isOdd)
      expect(waiting.filter(({ got }) => got.length > 0)).toEqual([])
      // What was read of them already: others read into the same memory meanwhile.
      write(range(0, COUNT))
      await soon()
      for (const { transport } of waiting) transport.resume()
      await soon()
      expect(ends.map(({ text }) => nameOf(text, 2))).toEqual(range(0, COUNT).map(String))
    })

    test.each([
      { order: 'before', indices: range(0, COUNT) },
      { order: 'long before', indices: [0, ...range(16, COUNT), ...range(1, 16)] },
    ])('lose nothing when the first lets them go on $order more of theirs is read', async ({ indices }) => {
      const { ends, write } = await openMany((others, call) => {
        for (const { transport } of others) {
          if (call === 1) transport.pause()
          else transport.resume()
        }
      })
      write(range(0, COUNT))
      await soon()
      write(indices)
      await soon()
      expect(ends.map(({ text }) => nameOf(text, 2))).toEqual(range(0, COUNT).map(String))
    })

    test('are told nothing but their close when the first destroys them', async () => {
      const { ends, write } = await openMany((others) => {
        for (const { transport } of others) transport.destroy()
      })
      write(range(0, COUNT))
      await Promise.all(ends.slice(1).map(({ closed }) => closed))
      expect(ends.slice(1).flatMap(({ got }) => got)).toEqual([])
    })

    test('learn that they have ended or were reset after the first has paused them, and they have gone on', async () => {
      const { ends, peers, write } = await openMany((others) => {
        for (const { transport } of others) transport.pause()
      })
      write([0])
      // It leaves with the turn, so it is there first; nothing is read before this goes on.
      await Promise.resolve()
      for (const [index, peer] of peers.slice(1).entries()) {
        if (index % 2 === 0) peer.end()
        else peer.destroy(true)
      }
      await soon()
      for (const { transport } of ends.slice(1)) transport.resume()
      const how = await Promise.all(
        ends.slice(1).map((end) => Promise.race([end.ended.then(() => 'end'), end.closed])),
      )
      for (const [index, what] of how.entries()) {
        if (index % 2 === 0) expect(what).toBe('end')
        else expect(what).toMatchObject({ code: 'ECONNRESET' })
      }
    })

    test('keep to themselves what was written to them in the moment they were reset', async () => {
      const { ends, peers, write, openAnother } = await openMany((others) => {
        for (const { transport } of others) transport.write('for nobody else')
      })
      write([0])
      await Promise.resolve()
      for (const peer of peers.slice(1)) peer.destroy(true)
      await Promise.all(ends.slice(1).map(({ closed }) => closed))
      for (let index = COUNT; index < COUNT + 4; index++) {
        const near = await openAnother()
        while (ends.length <= index) await soon()
        ends[index]?.transport.write('hello')
        await soon()
        expect(near.text).toBe('hello')
      }
    })
  },
)
