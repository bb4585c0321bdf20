import { VirtualClock } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { circuitBreaker } from '../breaker/layer.ts'
import { CircuitBreaker } from '../breaker/circuit-breaker.ts'
import { createCall } from '../call.ts'
import { errors } from '../errors.ts'
import { stack } from '../service.ts'
import type { Service } from '../service.ts'
import { fallback } from './fallback.ts'

const down: Service<string, string> = async () => Promise.reject(new Error('catalog is down'))
const newCall = (): ReturnType<typeof createCall> => createCall({}, { clock: new VirtualClock() })

describe('fallback', () => {
  test('answers in a lesser form and says which part it was', async () => {
    using call = newCall()
    const service = stack(down, [
      fallback<string, string>({ key: 'catalog', part: 'prices', serve: () => 'no prices today' }),
    ])
    expect(await service('', call)).toBe('no prices today')
    expect(call.degraded).toEqual(['prices'])
  })

  test('says nothing when nothing was degraded', async () => {
    using call = newCall()
    const service = stack(
      async (request: string) => request,
      [fallback<string, string>({ key: 'catalog', serve: () => 'lesser' })],
    )
    expect(await service('full', call)).toBe('full')
    expect(call.degraded).toEqual([])
  })

  test('refuses to call what has just failed', async () => {
    using call = newCall()
    let reached = 0
    const catalog = stack<string, string>(async () => {
      reached++
      throw new Error('down')
    }, [circuitBreaker({ breaker: new CircuitBreaker({ key: 'catalog' }) })])
    const service = stack(catalog, [
      fallback<string, string>({ key: 'catalog', serve: (request, inner) => catalog(request, inner) }),
    ])
    await expect(service('', call)).rejects.toMatchObject({ code: 'BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY' })
    expect(reached).toBe(1)
    expect(call.degraded).toEqual([])
  })

  test('refuses a fallback that comes back through itself', async () => {
    using call = newCall()
    const service: Service<string, string> = stack(down, [
      fallback<string, string>({ key: 'catalog', serve: (request, inner) => service(request, inner) }),
    ])
    await expect(service('', call)).rejects.toMatchObject({ code: 'BW_RESILIENCE_FALLBACK_SAME_DEPENDENCY' })
  })

  test('shows the first failure when the fallback fails too', async () => {
    using call = newCall()
    const service = stack(down, [
      fallback<string, string>({
        key: 'catalog',
        serve: async () => Promise.reject(new Error('cache is down')),
      }),
    ])
    await expect(service('', call)).rejects.toThrow('catalog is down')
    expect(call.degraded).toEqual([])
  })

  test('does not answer a mistake of the caller, nor a caller that has gone', async () => {
    using call = newCall()
    const serve = (): string => 'lesser'
    const wrong = stack<string, string>(async () => {
      throw errors.BW_RESILIENCE_TENANT_MISSING('none')
    }, [fallback({ key: 'catalog', serve })])
    await expect(wrong('', call)).rejects.toMatchObject({ code: 'BW_RESILIENCE_TENANT_MISSING' })
    call.abort('gone')
    await expect(stack(down, [fallback({ key: 'catalog', serve })])('', call)).rejects.toThrow(
      'catalog is down',
    )
  })

  test('in dark mode lets the failure through', async () => {
    using call = newCall()
    const service = stack(down, [fallback({ key: 'catalog', serve: () => 'lesser', dark: true })])
    await expect(service('', call)).rejects.toThrow('catalog is down')
  })
})
