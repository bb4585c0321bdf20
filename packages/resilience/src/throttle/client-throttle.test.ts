import { createRandom } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { ClientThrottle } from './client-throttle.ts'
import type { ClientThrottleOptions } from './client-throttle.ts'

const throttleOf = (options: ClientThrottleOptions = {}): ClientThrottle =>
  new ClientThrottle(options, { random: createRandom(5) }, 0)

describe('ClientThrottle', () => {
  test('rejects nothing while the upstream accepts', () => {
    const throttle = throttleOf()
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      expect(throttle.admit(nowMs)).toBe(true)
      throttle.onAccepted(nowMs, nowMs + 5)
    }
  })

  test('follows the formula of the SRE book', () => {
    const throttle = throttleOf({ minRequests: 0 })
    for (let index = 0; index < 100; index++) {
      throttle.admit(0)
      if (index < 20) throttle.onAccepted(0, 1)
      else throttle.onIgnored(0, 1)
    }
    expect(throttle.rejectRatio(1)).toBe(0)
    let requests = 20
    while (throttle.rejectRatio(1) === 0) {
      throttle.admit(1)
      throttle.onRefused(1, 1)
      requests++
    }
    expect(requests).toBe(41)
    expect(throttle.rejectRatio(1)).toBeCloseTo((41 - 2 * 20) / 42)
  })

  test('sends a refusing upstream about K times what it accepts', () => {
    const throttle = throttleOf({ multiplier: 2 })
    let sent = 0
    let accepted = 0
    for (let nowMs = 0; nowMs < 120_000; nowMs += 1) {
      if (nowMs === 60_000) sent = accepted = 0
      if (!throttle.admit(nowMs)) continue
      sent++
      // The upstream takes one request every 10 ms.
      if (nowMs - accepted * 10 >= (nowMs >= 60_000 ? 60_000 : 0)) {
        accepted++
        throttle.onAccepted(nowMs, nowMs)
      } else throttle.onRefused(nowMs, nowMs)
    }
    expect(sent / accepted).toBeGreaterThan(1.7)
    expect(sent / accepted).toBeLessThan(2.3)
  })

  test('goes on sending some when everything fails, and opens up when the upstream is back', () => {
    const throttle = throttleOf()
    let sent = 0
    for (let nowMs = 0; nowMs < 60_000; nowMs += 5) {
      if (!throttle.admit(nowMs)) continue
      if (nowMs > 40_000) sent++
      throttle.onRefused(nowMs, nowMs)
    }
    expect(sent).toBeGreaterThan(100)
    expect(sent).toBeLessThan(400)
    for (let nowMs = 60_000; nowMs < 200_000; nowMs += 5)
      if (throttle.admit(nowMs)) throttle.onAccepted(nowMs, nowMs)
    expect(throttle.rejectRatio(200_000)).toBe(0)
  })

  test('holds a burst of fresh requests against nobody', () => {
    const throttle = throttleOf({ graceMs: 2000 })
    for (let index = 0; index < 1000; index++) expect(throttle.admit(0)).toBe(true)
    expect(throttle.rejectRatio(1500)).toBe(0)
    for (let index = 0; index < 1000; index++) throttle.onAccepted(0, 1600)
    expect(throttle.rejectRatio(10_000)).toBe(0)
  })

  test('counts an answer that comes after the grace time once', () => {
    const throttle = throttleOf({ graceMs: 2000, minRequests: 0 })
    for (let index = 0; index < 100; index++) throttle.admit(0)
    expect(throttle.rejectRatio(5000)).toBeGreaterThan(0.9)
    for (let index = 0; index < 100; index++) throttle.onAccepted(0, 5000)
    expect(throttle.rejectRatio(5000)).toBe(0)
    expect(throttle.rejectRatio(31_000)).toBe(0)
  })

  test('draws no conclusion from a handful of requests', () => {
    const throttle = throttleOf({ minRequests: 20 })
    for (let index = 0; index < 19; index++) {
      expect(throttle.admit(0)).toBe(true)
      throttle.onRefused(0, 0)
    }
    expect(throttle.rejectRatio(0)).toBe(0)
    throttle.admit(0)
    throttle.onRefused(0, 0)
    expect(throttle.rejectRatio(0)).toBeGreaterThan(0.9)
  })

  test('forgets everything after the window', () => {
    const throttle = throttleOf({ minRequests: 0 })
    for (let index = 0; index < 100; index++) if (throttle.admit(0)) throttle.onRefused(0, 0)
    expect(throttle.rejectRatio(0)).toBeGreaterThan(0.9)
    expect(throttle.rejectRatio(31_000)).toBe(0)
    expect(throttle.rejectRatio(1e9)).toBe(0)
  })

  test('admits everything in dark mode and counts what it would have rejected', () => {
    const throttle = throttleOf({ dark: true })
    for (let index = 0; index < 1000; index++) {
      expect(throttle.admit(index)).toBe(true)
      throttle.onRefused(index, index)
    }
    expect(throttle.rejected).toBeGreaterThan(800)
  })

  test('names every wrong option at once', () => {
    expect(() => throttleOf({ multiplier: 1, slots: 1, graceMs: 60_000 })).toThrow(
      /multiplier.*slots.*graceMs/,
    )
  })
})
