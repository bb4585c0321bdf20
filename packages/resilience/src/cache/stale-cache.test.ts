import { describe, expect, test } from 'vitest'
import { StaleCache } from './stale-cache.ts'

const LIFE = { freshMs: 1000, staleWhileRevalidateMs: 1000, staleIfErrorMs: 10_000 }

describe('StaleCache', () => {
  test('tells fresh from stale from what is only good for an error, and then forgets', () => {
    const cache = new StaleCache<string>()
    cache.set('a', 'value', 10, LIFE, 0)
    expect([0, 999, 1000, 1999, 2000, 10_999].map((nowMs) => cache.freshness('a', nowMs))).toEqual([
      'fresh',
      'fresh',
      'stale',
      'stale',
      'if-error',
      'if-error',
    ])
    expect(cache.get('a', 10_999)?.value).toBe('value')
    expect(cache.freshness('a', 11_000)).toBeUndefined()
    expect([cache.size, cache.bytes]).toEqual([0, 0])
  })

  test('never holds more bytes or entries than it may', () => {
    const cache = new StaleCache<number>({ maxEntries: 50, maxBytes: 50_000, maxEntryBytes: 10_000 })
    for (let index = 0; index < 1000; index++) {
      cache.set(`k${index}`, index, (index * 37) % 9000, LIFE, index)
      expect(cache.bytes).toBeLessThanOrEqual(50_000)
      expect(cache.size).toBeLessThanOrEqual(50)
    }
    expect(cache.evictions).toBeGreaterThan(0)
  })

  test('counts an answer that is stored again as in use: while the upstream is healthy nothing is ever read', () => {
    const cache = new StaleCache<string>({ maxEntries: 100 })
    for (const atMs of [0, 1]) cache.set('home', 'page', 10, LIFE, atMs)
    for (let index = 0; index < 1000; index++) cache.set(`flood${index}`, 'x', 10, LIFE, 2)
    expect(cache.get('home', 3)?.value).toBe('page')
    expect(cache.size).toBe(100)
  })

  test('keeps what is in use through a flood of keys nobody asks for twice', () => {
    const cache = new StaleCache<string>({ maxEntries: 100 })
    for (let index = 0; index < 50; index++) {
      cache.set(`used${index}`, 'value', 10, LIFE, 0)
      cache.get(`used${index}`, 1)
    }
    for (let index = 0; index < 10_000; index++) cache.set(`flood${index}`, 'x', 10, LIFE, 2)
    for (let index = 0; index < 50; index++) expect(cache.get(`used${index}`, 3)?.value).toBe('value')
  })

  test('lets what is no longer used make room for what is', () => {
    const cache = new StaleCache<string>({ maxEntries: 10 })
    for (const round of ['old', 'new'])
      for (let index = 0; index < 50; index++) {
        cache.set(`${round}${index}`, round, 10, LIFE, 0)
        cache.get(`${round}${index}`, 0)
      }
    expect(cache.size).toBeLessThanOrEqual(10)
    expect(cache.get('new49', 0)?.value).toBe('new')
    expect(cache.get('old49', 0)).toBeUndefined()
  })

  test('keeps no answer that is too large, nor an older one of the same key', () => {
    const cache = new StaleCache<string>({ maxBytes: 10_000, maxEntryBytes: 1000 })
    cache.set('a', 'small', 10, LIFE, 0)
    expect(cache.set('a', 'large', 5000, LIFE, 0)).toBe(false)
    expect(cache.get('a', 0)).toBeUndefined()
    expect(cache.oversized).toBe(1)
  })

  test('replaces an answer without counting it twice', () => {
    const cache = new StaleCache<string>()
    cache.set('a', 'one', 100, LIFE, 0)
    const before = cache.bytes
    cache.get('a', 0)
    cache.set('a', 'two', 100, LIFE, 5)
    expect([cache.size, cache.bytes, cache.get('a', 5)?.value]).toEqual([1, before, 'two'])
  })

  test('names every wrong option at once', () => {
    expect(() => new StaleCache({ maxEntries: 1, maxBytes: 0 })).toThrow(/maxEntries.*maxBytes/)
  })
})
