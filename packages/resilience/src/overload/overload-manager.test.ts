import { describe, expect, test } from 'vitest'
import { OverloadManager } from './overload-manager.ts'

describe('OverloadManager', () => {
  test('takes graduated steps as the heap fills', () => {
    const manager = new OverloadManager()
    const at = (heapRatio: number): [boolean, boolean, boolean, boolean] => {
      manager.report({ heapRatio }, 0)
      return [manager.keepAlive, manager.serves(3), manager.serves(0), manager.accepting]
    }
    expect(at(0.5)).toEqual([true, true, true, true])
    expect(at(0.86)).toEqual([false, true, true, true])
    expect(at(0.91)).toEqual([false, false, true, true])
    expect(at(0.96)).toEqual([false, false, true, false])
    expect(manager.cause).toBe('heapRatio')
  })

  test('sheds more priorities the closer the reading comes to the next step', () => {
    const manager = new OverloadManager({
      heapRatio: { noKeepAliveAt: 0.5, shedAt: 0.6, stopAcceptAt: 0.9 },
    })
    const least = [0.6, 0.71, 0.81, 0.89].map((heapRatio) => {
      manager.report({ heapRatio }, 0)
      return manager.leastServed
    })
    expect(least).toEqual([2, 1, 0, 0])
  })

  test('undoes a step only after the reading has been clearly lower for a while, one at a time', () => {
    const manager = new OverloadManager({ holdMs: 2000 })
    manager.report({ loopDelayMs: 1500 }, 0)
    expect(manager.level).toBe(3)
    manager.report({ loopDelayMs: 950 }, 1000)
    manager.report({ loopDelayMs: 950 }, 9000)
    expect(manager.level).toBe(3)
    manager.report({ loopDelayMs: 1 }, 10_000)
    expect(manager.level).toBe(3)
    manager.report({ loopDelayMs: 1 }, 12_000)
    expect(manager.level).toBe(2)
    manager.report({ loopDelayMs: 1 }, 14_000)
    manager.report({ loopDelayMs: 1 }, 16_000)
    expect(manager.level).toBe(0)
    expect(manager.cause).toBeUndefined()
  })

  test('does not flap when the reading swings around a threshold', () => {
    const manager = new OverloadManager()
    let changes = 0
    let level = manager.level
    for (let second = 0; second < 100; second++) {
      manager.report({ heapRatio: second % 2 === 0 ? 0.86 : 0.84 }, second * 1000)
      if (manager.level !== level) changes++
      level = manager.level
    }
    expect(changes).toBe(1)
  })

  test('never refuses connections because the event loop is merely busy', () => {
    const manager = new OverloadManager()
    manager.report({ loopUtilisation: 1 }, 0)
    expect(manager.level).toBe(2)
    expect(manager.accepting).toBe(true)
    expect(manager.serves(0)).toBe(true)
  })

  test('takes what cannot be read for calm', () => {
    const manager = new OverloadManager()
    manager.report({}, 0)
    manager.report({ heapRatio: Number.NaN }, 1)
    expect(manager.level).toBe(0)
  })

  test('takes no step in dark mode and counts when it would have', () => {
    const manager = new OverloadManager({ dark: true })
    manager.report({ heapRatio: 0.99 }, 0)
    expect([manager.keepAlive, manager.serves(3), manager.accepting]).toEqual([true, true, true])
    expect([manager.level, manager.overloadedReports]).toEqual([3, 1])
  })

  test('refuses steps that fall', () => {
    expect(
      () => new OverloadManager({ heapRatio: { noKeepAliveAt: 0.9, shedAt: 0.8, stopAcceptAt: 1 } }),
    ).toThrow(/heapRatio/)
  })
})
