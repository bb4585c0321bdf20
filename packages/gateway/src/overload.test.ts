import { VirtualClock } from '@breakwater/core'
import { SimNetwork } from '@breakwater/http'
import { expect, test } from 'vitest'
import { OverloadWatch } from './overload.ts'

const CONFIG = {
  mode: 'enforce',
  maxEventLoopDelayMs: 250,
  maxHeapRatio: 0.92,
  maxFdRatio: 0.9,
  intervalMs: 500,
} as const

test('what it took to start sheds nobody; the same again later does', () => {
  const clock = new VirtualClock()
  const driver = new SimNetwork({ seed: 1, clock }).driver('gateway')
  const delaysMs = [900, 20, 900]
  const watch = OverloadWatch.of(CONFIG, driver, () => ({ loopDelayMs: delaysMs.shift() ?? 0 }))
  const keepsAlive: (boolean | undefined)[] = []
  for (const atMs of [501, 1_001, 1_501]) {
    clock.runUntil(atMs)
    keepsAlive.push(watch?.manager.keepAlive)
  }
  watch?.stop()
  expect(keepsAlive).toEqual([true, true, false])
})
