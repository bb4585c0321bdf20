import { afterEach, expect, test } from 'vitest'
import { NetTurns } from '../net/turns.ts'
import { AF_UNIX, SOCK_FLAGS, SOCK_STREAM, loadLibc } from './libc.ts'
import type { Libc } from './libc.ts'
import { Outbox } from './outbox.ts'
import { EPOLLET, EPOLLIN, Poller } from './poller.ts'

const loaded = loadLibc()
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

function open(libc: Libc): {
  poller: Poller
  pair: () => [number, number]
  say: (descriptor: number) => void
} {
  const turns = new NetTurns()
  const poller = new Poller(libc, turns, new Outbox(libc, turns))
  cleanUps.push(() => poller.close())
  const memory = libc.allocate(8)
  return {
    poller,
    pair: () => {
      libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0, memory.pointer)
      const [one, other] = [memory.bytes.readInt32LE(0), memory.bytes.readInt32LE(4)]
      cleanUps.push(
        () => libc.close(one),
        () => libc.close(other),
      )
      return [one, other]
    },
    say: (descriptor) => void libc.write(descriptor, memory.pointer, 1),
  }
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

test.runIf(loaded.ok)(
  'an event of somebody who has gone meanwhile does not reach who got the place',
  async () => {
    if (!loaded.ok) return
    const { poller, pair, say } = open(loaded.value)
    const pairs = [pair(), pair(), pair()] as const
    const told: string[] = []
    const slots: number[] = []
    const newcomer = { onReady: () => void told.push('newcomer') }
    // Whoever is told first removes the other, whose event is in the same round, and lets somebody new in.
    for (const index of [0, 1] as const) {
      slots[index] = poller.add(pairs[index][0], EPOLLIN | EPOLLET, {
        onReady: () => {
          told.push('one of two')
          const other = 1 - index
          poller.remove(slots[other] as number, pairs[other as 0 | 1][0])
          expect(poller.add(pairs[2][0], EPOLLIN | EPOLLET, newcomer)).toBe(slots[other])
        },
      })
    }
    say(pairs[0][1])
    say(pairs[1][1])
    await soon()
    expect(told).toEqual(['one of two'])
    say(pairs[2][1])
    await soon()
    expect(told).toEqual(['one of two', 'newcomer'])
  },
)

test.runIf(loaded.ok)('who asks for it is called again, in a later turn, without an event', async () => {
  if (!loaded.ok) return
  const { poller, pair, say } = open(loaded.value)
  const [one, other] = pair()
  const events: number[] = []
  const pollable = {
    onReady: (what: number) => {
      if (events.push(what) < 3) poller.again(pollable)
    },
  }
  poller.add(one, EPOLLIN | EPOLLET, pollable)
  say(other)
  await soon()
  expect(events).toEqual([EPOLLIN, 0, 0])
})

test.runIf(loaded.ok)('a closed poller takes nobody in', () => {
  if (!loaded.ok) return
  const { poller, pair } = open(loaded.value)
  poller.close()
  expect(() => poller.add(pair()[0], EPOLLIN, { onReady: () => undefined })).toThrow('EBADF')
})

test.runIf(loaded.ok)('timers keep their turns, however much there is to read', async () => {
  if (!loaded.ok) return
  const { poller, pair, say } = open(loaded.value)
  const [one, other] = pair()
  const busyMs = 20
  let turns = 0
  poller.add(one, EPOLLIN | EPOLLET, {
    onReady: () => {
      turns++
      const untilMs = performance.now() + busyMs
      while (performance.now() < untilMs);
      say(other)
    },
  })
  say(other)
  const sinceMs = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 1))
  expect(turns).toBeGreaterThan(0)
  expect(performance.now() - sinceMs).toBeLessThan(5 * busyMs)
})
