import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpiringMap, MinHeap, createRandom, randomHex } from '@breakwater/core'

describe('the heap', () => {
  test('gives its items back in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new MinHeap<number>((a, b) => a - b)
        for (const number of numbers) heap.push(number)
        const out = numbers.map(() => heap.pop())
        expect(out).toEqual(numbers.toSorted((a, b) => a - b))
        expect(heap.pop()).toBeUndefined()
      }),
    )
  })
})

describe('the expiring map', () => {
  test('never holds more than its limit, whatever the flood of keys', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(50))), (writes) => {
        const map = new ExpiringMap<number, number>({ maxEntries: 10, ttlMs: 20 })
        let nowMs = 0
        for (const [key, pauseMs] of writes) {
          nowMs += pauseMs
          map.set(key, nowMs, nowMs)
          expect(map.size).toBeLessThanOrEqual(10)
          expect(map.get(key, nowMs)).toBe(nowMs)
        }
      }),
    )
  })

  test('evicts the least recently used key first', () => {
    const map = new ExpiringMap<string, number>({ maxEntries: 2 })
    map.set('a', 1, 0)
    map.set('b', 2, 0)
    map.get('a', 1)
    map.set('c', 3, 2)
    expect([...map.entries(3)]).toEqual([
      ['a', 1],
      ['c', 3],
    ])
    expect(map.evictions).toBe(1)
  })

  test('forgets a key that nobody touched for its time to live, and one touched lives on', () => {
    const map = new ExpiringMap<string, number>({ maxEntries: 4, ttlMs: 10 })
    map.set('a', 1, 0)
    expect(map.get('a', 9)).toBe(1)
    expect(map.get('a', 18)).toBe(1)
    expect(map.peek('a', 27)).toBe(1)
    expect(map.get('a', 28)).toBeUndefined()
    expect(map.size).toBe(0)
  })

  test('refuses a limit below one', () => {
    const invalid = (message: string): unknown =>
      expect.objectContaining({ code: 'BW_CORE_OPTIONS_INVALID', message })
    expect(() => new ExpiringMap({ maxEntries: 0 })).toThrow(invalid('maxEntries must be 1 or more, got 0'))
    expect(() => new ExpiringMap({ maxEntries: 1, ttlMs: 0 })).toThrow(
      invalid('ttlMs must be above 0, got 0'),
    )
  })
})

describe('luck', () => {
  test('repeats itself with the same seed and differs with another', () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed)
      return Array.from({ length: 20 }, random)
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('is uniform enough to trust a percentage', () => {
    const random = createRandom(1)
    const buckets = new Uint32Array(10)
    for (let index = 0; index < 100_000; index++) {
      const slot = Math.floor(random() * 10)
      buckets[slot] = (buckets[slot] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })

  test('makes ids of the asked length that do not repeat', () => {
    const ids = new Set(Array.from({ length: 5000 }, () => randomHex(16)))
    expect(ids.size).toBe(5000)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  })
})
