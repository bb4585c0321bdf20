import { getEventListeners } from 'node:events'
import { VirtualClock } from '@breakwater/core'
import { describe, expect, test, vi } from 'vitest'
import { attemptOf, createCall, tenantOf, within } from './call.ts'

describe('a call', () => {
  test('creates no timer and no listener until somebody listens', async () => {
    const clock = new VirtualClock()
    const caller = new AbortController()
    using call = createCall({ timeoutMs: 100, signal: caller.signal }, { clock })
    using inner = within(call, 50)
    expect(clock.nextDueMs()).toBe(Infinity)
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
    inner.onAbort(() => {})
    expect(clock.nextDueMs()).toBe(50)
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
  })

  test('aborts its signal when its deadline passes', async () => {
    const clock = new VirtualClock()
    using call = createCall({ timeoutMs: 100 }, { clock })
    const { signal } = call
    await clock.advance(99)
    expect(signal.aborted).toBe(false)
    await clock.advance(1)
    expect(signal.reason).toMatchObject({ code: 'BW_RESILIENCE_DEADLINE_EXCEEDED' })
  })

  test('passes the reason down to every call under it, untouched', () => {
    const clock = new VirtualClock()
    using call = createCall({}, { clock })
    using child = within(call, 1_000)
    using grandchild = attemptOf(child, 2)
    const reasons: unknown[] = []
    grandchild.onAbort((reason) => reasons.push(reason))
    const { signal } = grandchild
    call.abort('the tab was closed')
    expect(reasons).toEqual(['the tab was closed'])
    expect(signal.reason).toBe('the tab was closed')
    expect(child.abortReason).toBe('the tab was closed')
  })

  test('notices a caller that was gone before anybody listened', () => {
    const clock = new VirtualClock()
    const caller = new AbortController()
    using call = createCall({ signal: caller.signal }, { clock })
    using child = within(call, 1_000)
    caller.abort('early')
    expect(child.aborted).toBe(true)
    expect(child.signal.reason).toBe('early')
    const reasons: unknown[] = []
    child.onAbort((reason) => reasons.push(reason))
    expect(reasons).toEqual(['early'])
  })

  test('keeps its first reason', () => {
    using call = createCall({}, { clock: new VirtualClock() })
    call.abort('first')
    call.abort('second')
    expect(call.abortReason).toBe('first')
  })

  test('names the caller when it is aborted without a reason', () => {
    using call = createCall({}, { clock: new VirtualClock() })
    call.abort(undefined)
    expect(call.abortReason).toMatchObject({ code: 'BW_RESILIENCE_CALL_ABORTED' })
  })

  test('never ends later than the call above it', () => {
    const clock = new VirtualClock(1_000)
    using call = createCall({ timeoutMs: 100 }, { clock })
    using longer = within(call, 5_000)
    using shorter = within(call, 50)
    expect(longer.deadlineMs).toBe(1_100)
    expect(shorter.deadlineMs).toBe(1_050)
  })

  test('says whether its own limit has passed, not that of a call above', async () => {
    const clock = new VirtualClock()
    using call = createCall({ timeoutMs: 100 }, { clock })
    using longer = within(call, 5_000)
    using shorter = within(call, 50)
    await clock.advance(200)
    expect([call.expired, longer.expired, shorter.expired]).toEqual([true, false, true])
    await clock.advance(10_000)
    expect(longer.expired).toBe(false)
  })

  test('shares what was degraded and which endpoints were tried with its whole tree', () => {
    using call = createCall({}, { clock: new VirtualClock() })
    using first = attemptOf(call, 1)
    using second = attemptOf(call, 2)
    first.noteAttempt('10.0.0.1:80')
    first.markDegraded('catalog')
    second.markDegraded('catalog')
    expect(second.attempted).toEqual(['10.0.0.1:80'])
    expect(call.degraded).toEqual(['catalog'])
    expect(second.attempt).toBe(2)
  })

  test('hands who and whose down unchanged', () => {
    const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }
    using call = createCall({ tenant: 'acme', principal: 'ann', workload: 'shop', priority: 0, trace })
    using child = within(call, 10)
    expect(child).toMatchObject({ tenant: 'acme', principal: 'ann', workload: 'shop', priority: 0, trace })
  })

  test('refuses work for nobody when the tenant is asked for', () => {
    using call = createCall()
    expect(() => tenantOf(call)).toThrow(expect.objectContaining({ code: 'BW_RESILIENCE_TENANT_MISSING' }))
    expect(tenantOf({ tenant: 'acme' })).toBe('acme')
  })

  test.each([
    [{ timeoutMs: 0 }, 'timeoutMs must be above 0, got 0'],
    [{ timeoutMs: NaN }, 'timeoutMs must be above 0, got NaN'],
    [{ deadlineMs: NaN }, 'deadlineMs must be a number'],
    [{ priority: 4 as 3 }, 'priority must be 0, 1, 2 or 3, got 4'],
    [{ tenant: '' }, 'tenant must not be empty'],
  ])('refuses %j', (options, problem) => {
    expect(() => createCall(options)).toThrow(problem)
  })

  test('leaves nothing behind once disposed', () => {
    const clock = new VirtualClock()
    const caller = new AbortController()
    const call = createCall({ timeoutMs: 100, signal: caller.signal }, { clock })
    const child = within(call, 50)
    child.onAbort(() => {})
    child[Symbol.dispose]()
    call[Symbol.dispose]()
    expect(clock.nextDueMs()).toBe(Infinity)
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
  })

  test('lets a signal that outlives its layer follow the call above, through several layers', () => {
    using call = createCall({}, { clock: new VirtualClock() })
    const outer = within(call, 1_000)
    const inner = within(outer, 500)
    const { signal } = inner
    inner[Symbol.dispose]()
    outer[Symbol.dispose]()
    expect(signal.aborted).toBe(false)
    call.abort('gone')
    expect(signal.reason).toBe('gone')
  })

  test('gives a listener back without disturbing the others', () => {
    using call = createCall({}, { clock: new VirtualClock() })
    const heard: string[] = []
    const first = call.onAbort(() => heard.push('first'))
    call.onAbort(() => heard.push('second'))
    first.cancel()
    first.cancel()
    call.abort('gone')
    expect(heard).toEqual(['second'])
  })

  test('reaches every listener, also after one that throws, whose error is thrown outside', () => {
    const later: (() => void)[] = []
    const spy = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => void later.push(task))
    using call = createCall({}, { clock: new VirtualClock() })
    const heard: string[] = []
    call.onAbort(() => {
      throw new Error('a bug in a listener')
    })
    call.onAbort(() => heard.push('second'))
    call.abort('gone')
    spy.mockRestore()
    expect(heard).toEqual(['second'])
    expect(() => later[0]?.()).toThrow('a bug in a listener')
  })

  test('refuses a limit under it that is no number', () => {
    using call = createCall()
    expect(() => within(call, NaN)).toThrow('timeoutMs must be 0 or more, got NaN')
  })
})
