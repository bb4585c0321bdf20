import { describe, expect, test } from 'vitest'
import type { HostOutcome, WatchedHost } from './host.ts'
import { OutlierDetector } from './outlier-detector.ts'
import type { OutlierDetectorOptions } from './outlier-detector.ts'

function world(ids: readonly string[], options: OutlierDetectorOptions = {}) {
  const ejected: string[] = []
  const returned: string[] = []
  const detector = new OutlierDetector(options, 0, {
    onEject: (host) => ejected.push(host.id),
    onReturn: (host) => returned.push(host.id),
  })
  detector.setHosts(ids)
  const host = (id: string): WatchedHost => detector.host(id) as WatchedHost
  const send = (id: string, outcome: HostOutcome, count: number, nowMs = 0): void => {
    for (let index = 0; index < count; index++) detector.record(host(id), outcome, nowMs)
  }
  return { detector, ejected, returned, host, send }
}

describe('OutlierDetector', () => {
  test('ejects after errors in a row, and a success in between starts the count anew', () => {
    const { ejected, send } = world(['a', 'b', 'c'])
    send('a', 'server-error', 4)
    send('a', 'success', 1)
    send('a', 'server-error', 4)
    expect(ejected).toEqual([])
    send('a', 'server-error', 1)
    expect(ejected).toEqual(['a'])
  })

  test('ejects sooner for failures to connect', () => {
    const { host, send } = world(['a', 'b', 'c'])
    send('a', 'local-error', 3)
    expect(host('a').reason).toBe('consecutive-local-errors')
  })

  test('tells gateway errors from other server errors', () => {
    const { host, send } = world(['a', 'b', 'c'], { consecutiveErrors: 0, consecutiveGatewayErrors: 2 })
    send('a', 'gateway-error', 1)
    send('a', 'server-error', 5)
    send('a', 'gateway-error', 1)
    expect(host('a').ejected).toBe(false)
    send('a', 'gateway-error', 1)
    expect(host('a').reason).toBe('consecutive-gateway-errors')
  })

  test('never ejects more than its share, and never the last usable host', () => {
    const { detector, ejected, send } = world(['a', 'b', 'c'], { maxEjectedRatio: 0.5 })
    for (const id of ['a', 'b', 'c']) send(id, 'server-error', 50)
    expect(ejected).toEqual(['a'])
    expect(detector.capped).toBeGreaterThan(0)
    const greedy = world(['a', 'b'], { maxEjectedRatio: 1 })
    for (const id of ['a', 'b']) greedy.send(id, 'server-error', 50)
    expect(greedy.ejected).toEqual(['a'])
    const single = world(['only'], { maxEjectedRatio: 1 })
    single.send('only', 'server-error', 50)
    expect(single.ejected).toEqual([])
  })

  test('ejects for longer each time, up to a limit, and forgives in time', () => {
    const { detector, host, send } = world(['a', 'b', 'c'], { ejectionMs: 1000, maxEjectionMs: 2500 })
    const ejectAt = (nowMs: number): number => {
      send('a', 'server-error', 5, nowMs)
      return host('a').ejectedUntilMs - nowMs
    }
    expect(ejectAt(0)).toBe(1000)
    detector.tick(1000)
    expect(ejectAt(1000)).toBe(2000)
    detector.tick(3000)
    expect(ejectAt(3000)).toBe(2500)
    detector.tick(5500)
    for (let nowMs = 10_000; nowMs <= 40_000; nowMs += 10_000) {
      send('a', 'success', 10, nowMs - 1)
      detector.tick(nowMs)
    }
    expect(ejectAt(40_000)).toBe(1000)
  })

  test('brings a host back when its time is over, with a clean record', () => {
    const { detector, returned, host, send } = world(['a', 'b', 'c'])
    send('a', 'server-error', 5)
    detector.tick(29_999)
    expect(returned).toEqual([])
    detector.tick(30_000)
    expect(returned).toEqual(['a'])
    send('a', 'server-error', 4, 30_001)
    expect(host('a').ejected).toBe(false)
  })

  test('ignores late answers to a host that is already ejected', () => {
    const { detector, ejected, host, send } = world(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    send('a', 'server-error', 500)
    expect([ejected, host('a').ejections, detector.ejected]).toEqual([['a'], 1, 1])
    detector.tick(30_000)
    expect(host('a').requests).toBe(0)
  })

  test.each([3, 5])('finds the one host among %s that does worse than the others', (count) => {
    const ids = Array.from({ length: count }, (_, index) => `h${index}`)
    const { detector, ejected, host } = world(ids)
    for (let index = 0; index < 200; index++)
      for (const id of ids)
        detector.record(host(id), id === 'h1' && index % 3 === 0 ? 'server-error' : 'success', 0)
    detector.tick(10_000)
    expect(ejected).toEqual(['h1'])
  })

  test('finds two bad hosts of five: they do not hide each other', () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    const { detector, ejected, host } = world(ids)
    for (let index = 0; index < 200; index++)
      for (const id of ids)
        detector.record(host(id), id < 'c' && index % 2 === 0 ? 'server-error' : 'success', 0)
    detector.tick(10_000)
    expect(ejected.toSorted()).toEqual(['a', 'b'])
  })

  test('does not eject for a difference that is hardly one', () => {
    const ids = ['a', 'b', 'c', 'd']
    const { detector, ejected, host } = world(ids)
    for (let index = 0; index < 1000; index++)
      for (const id of ids)
        detector.record(host(id), id === 'a' && index % 100 === 0 ? 'server-error' : 'success', 0)
    detector.tick(10_000)
    expect(ejected).toEqual([])
  })

  test('judges nobody on too few requests', () => {
    const { detector, ejected, send } = world(['a', 'b', 'c'], { consecutiveErrors: 0 })
    send('a', 'server-error', 40)
    for (const id of ['b', 'c']) send(id, 'success', 500)
    detector.tick(10_000)
    expect(ejected).toEqual([])
  })

  test('ejects by share of failures even when all others are no better known', () => {
    const { detector, host, send } = world(['a', 'b'], { consecutiveErrors: 0, failureRatio: 0.5 })
    send('a', 'server-error', 60)
    send('a', 'success', 40)
    detector.tick(10_000)
    expect(host('a').reason).toBe('failure-ratio')
  })

  test('lets the operator eject and bring back, within the cap', () => {
    const { detector, host } = world(['a', 'b'])
    expect(detector.eject(host('a'), 0)).toBe(true)
    expect(detector.eject(host('b'), 0)).toBe(false)
    detector.uneject(host('a'), 1)
    expect(host('a').ejected).toBe(false)
    expect(detector.ejected).toBe(0)
  })

  test('forgets hosts that are gone, ejected or not', () => {
    const { detector, send } = world(['a', 'b', 'c'])
    send('a', 'server-error', 5)
    detector.setHosts(['b', 'd'])
    expect(detector.ejected).toBe(0)
    expect([...detector.hosts].map(({ id }) => id)).toEqual(['b', 'd'])
  })

  test('ejects nobody in dark mode and counts whom it would have', () => {
    const { detector, ejected, send } = world(['a', 'b', 'c'], { dark: true })
    send('a', 'server-error', 5)
    expect(ejected).toEqual([])
    expect(detector.ejections).toBe(1)
  })

  test('names every wrong option at once', () => {
    expect(() => world([], { consecutiveErrors: -1, minHosts: 1, failureRatio: 0 })).toThrow(
      /consecutiveErrors.*minHosts.*failureRatio/,
    )
  })
})
