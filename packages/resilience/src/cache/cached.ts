import { createCall } from '../call.ts'
import type { Call } from '../call.ts'
import { OptionCheck } from '../internal/option-check.ts'
import type { Layer, Service } from '../service.ts'
import type { Lifetime, StaleCache } from './stale-cache.ts'

export interface CachedOptions<Request, Response> {
  readonly cache: StaleCache<Response>
  /** What the answer depends on, tenant and `Vary` included; `undefined`: neither look up nor keep. */
  readonly key: (request: Request, call: Call) => string | undefined
  /** How long an answer is good for what; `undefined`: do not keep it. */
  readonly lifetime: (response: Response, request: Request) => Lifetime | undefined
  /** Bytes an answer takes. */
  readonly sizeOf: (response: Response) => number
  /** Whether a stored answer may stand in for this failure. Default: yes. */
  readonly staleOn?: (error: unknown) => boolean
  /** Named in `Call.degraded` when an old answer stood in for a failure. Default `stale`. */
  readonly part?: string
  /** Time a refresh in the background may take. Milliseconds, above 0. Default 10 000. */
  readonly refreshTimeoutMs?: number
  /** Refreshes at once at the most; beyond that the stale answer is served without one. A whole number, 0 or more. Default 64. */
  readonly maxRefreshes?: number
}

/**
 * Serves stored answers: fresh ones at once; stale ones at once while one refresh runs behind them; older ones when
 * the upstream fails, and says so in `Call.degraded`. A caller who has gone away gets his abort, not an old answer.
 *
 * @throws Whatever the inner service throws, when nothing is stored that may stand in.
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction when an option is out of its range.
 */
export function cached<Request, Response>(
  options: CachedOptions<Request, Response>,
): Layer<Request, Response> {
  const { cache, key, lifetime, sizeOf, staleOn = () => true, part = 'stale' } = options
  const { refreshTimeoutMs = 10_000, maxRefreshes = 64 } = options
  new OptionCheck('cached')
    .above0('refreshTimeoutMs', refreshTimeoutMs)
    .whole('maxRefreshes', maxRefreshes, 0)
    .done()
  const refreshing = new Set<string>()

  const fetch = async (
    inner: Service<Request, Response>,
    name: string,
    request: Request,
    call: Call,
  ): Promise<Response> => {
    const response = await inner(request, call)
    const good = lifetime(response, request)
    // A degraded answer is not what the upstream says; keeping it would make the degradation outlast its cause.
    if (good !== undefined && call.degraded.length === 0)
      cache.set(name, response, sizeOf(response), good, call.clock.now())
    return response
  }

  const refresh = async (
    inner: Service<Request, Response>,
    name: string,
    request: Request,
    from: Call,
  ): Promise<void> => {
    refreshing.add(name)
    const { clock, tenant, principal, workload } = from
    using call = createCall(
      {
        timeoutMs: refreshTimeoutMs,
        priority: 3,
        ...(tenant === undefined ? {} : { tenant }),
        ...(principal === undefined ? {} : { principal }),
        ...(workload === undefined ? {} : { workload }),
      },
      { clock },
    )
    try {
      await fetch(inner, name, request, call)
    } catch {
      // Nobody waits for this answer, and the stale one goes on standing in until its time is up.
    } finally {
      refreshing.delete(name)
    }
  }

  return (inner) => async (request, call) => {
    const name = key(request, call)
    if (name === undefined) return inner(request, call)
    const nowMs = call.clock.now()
    const freshness = cache.freshness(name, nowMs)
    const stored = freshness === undefined ? undefined : cache.get(name, nowMs)
    if (stored !== undefined && freshness !== 'if-error') {
      if (freshness === 'stale' && !refreshing.has(name) && refreshing.size < maxRefreshes)
        void refresh(inner, name, request, call)
      return stored.value
    }
    try {
      return await fetch(inner, name, request, call)
    } catch (error) {
      if (call.aborted && call.clock.now() < call.deadlineMs) throw error
      const standIn = staleOn(error) ? cache.get(name, call.clock.now()) : undefined
      if (standIn === undefined) throw error
      call.markDegraded(part)
      return standIn.value
    }
  }
}
