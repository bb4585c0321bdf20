import { LineWaiter } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

const failure = (what: string): Error => new Error(`it ${what}`)

describe('whoever waits for a line', () => {
  test('gets one that was said, and one that comes later', async () => {
    const waiter = new LineWaiter()
    waiter.push('early')
    const late = waiter.waitFor(/late/, 1_000, failure)
    expect(await waiter.waitFor(/ear/, 1_000, failure)).toBe('early')
    waiter.push('late')
    expect(await late).toBe('late')
  })

  test('is told that it will not come: the end or the time was first', async () => {
    const waiter = new LineWaiter()
    const waiting = waiter.waitFor(/ready/, 1_000, failure)
    waiter.end('code 3')
    await expect(waiting).rejects.toThrow('it ended (code 3) before printing /ready/')
    await expect(new LineWaiter().waitFor(/ready/, 0, failure)).rejects.toThrow(
      'it spent 0 ms without printing /ready/',
    )
  })

  test('finds only what is kept', async () => {
    const waiter = new LineWaiter(2)
    for (const line of ['one', 'two', 'three']) waiter.push(line)
    expect(waiter.lines).toEqual(['two', 'three'])
    waiter.end('code 0')
    await expect(waiter.waitFor(/one/, 1_000, failure)).rejects.toThrow('ended (code 0)')
  })
})
