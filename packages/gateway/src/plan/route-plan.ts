import type { Random } from '@breakwater/core'
import type { LadderStep, RouteConfig } from '@breakwater/contract'
import { Coalescer, GcraLimiter, StaleCache } from '@breakwater/resilience/load'
import { HedgeDelay, IdempotencyStore, RetryPolicy } from '@breakwater/resilience/machines'
import type { StoredAnswer } from '../exchange/capture.ts'
import type { RouteMeters } from '../telemetry/meters.ts'
import { isSame } from '../same.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { RouteGuard } from '../authorization/route-guard.ts'
import { admissionStages } from './stages.ts'
import type { AdmissionStage } from './stages.ts'

const PRIORITIES = { critical: 0, high: 1, normal: 2, low: 3 } as const

export interface RetryPlan {
  readonly policy: RetryPolicy
  readonly statuses: ReadonlySet<number>
  readonly errors: ReadonlySet<'connect' | 'reset' | 'timeout'>
  readonly methods: ReadonlySet<string>
  readonly maxReplayBytes: number
}

export interface HedgePlan {
  readonly delay: HedgeDelay
  readonly maxHedges: number
  readonly isDark: boolean
}

export interface IdempotencyPlan {
  readonly header: string
  readonly isRequired: boolean
  readonly methods: ReadonlySet<string>
  readonly store: IdempotencyStore<StoredAnswer>
  readonly maxAnswerBytes: number
}

/** The request that asks the upstream for all with the same key. */
export interface FlightLeader {
  /** Nobody waits for its answer any more. */
  onDeserted(): void
}

export interface CoalescePlan {
  readonly coalescer: Coalescer<StoredAnswer>
  /** Who asks the upstream for each key in flight. */
  readonly leaders: Map<string, FlightLeader>
  readonly maxAnswerBytes: number
  readonly varyBy: readonly string[]
  /** What two callers with the same key have in common. */
  readonly keyFields: ReadonlySet<string>
}

export interface StalePlan {
  readonly cache: StaleCache<StoredAnswer>
  readonly ttlMs: number
  readonly maxAnswerBytes: number
  readonly varyBy: readonly string[]
  readonly keyFields: ReadonlySet<string>
  readonly isDark: boolean
}

export interface LadderPlan {
  readonly statuses: ReadonlySet<number>
  readonly steps: readonly { readonly step: LadderStep; readonly upstream: Upstream | undefined }[]
  readonly isDark: boolean
}

/**
 * A route, compiled: everything a request needs in one flat object, every control either there or `undefined`. Built at
 * load, never changed; a reload builds another one.
 */
export interface RoutePlan {
  readonly name: string
  readonly config: RouteConfig
  readonly upstream: Upstream
  readonly stages: readonly AdmissionStage[]
  /** Who may, and what the upstream is told of it; undefined without authorization. */
  readonly guard: RouteGuard | undefined
  readonly priority: number
  readonly timeoutMs: number
  readonly maxDurationMs: number
  readonly perTryTimeoutMs: number
  /** The field that tells the upstream how long it has; undefined when deadlines do not travel. */
  readonly deadlineHeader: string | undefined
  readonly rateLimiter: GcraLimiter | undefined
  readonly retry: RetryPlan | undefined
  readonly hedge: HedgePlan | undefined
  readonly idempotency: IdempotencyPlan | undefined
  readonly coalesce: CoalescePlan | undefined
  readonly stale: StalePlan | undefined
  readonly ladder: LadderPlan | undefined
  readonly upgradeProtocols: ReadonlySet<string>
  readonly meters: RouteMeters
}

export interface PlanDeps {
  readonly random: Random
  readonly seed: number
  readonly upstreamOf: (name: string) => Upstream
  readonly metersOf: (route: string) => RouteMeters
  readonly guardOf: (route: RouteConfig) => RouteGuard | undefined
}

/**
 * Compiles a route. From `previous`, the same route before a reload, it takes over the state of every control whose
 * settings did not change: a reload forgets no key, no limit and no stored answer without need.
 */
export function compileRoute(config: RouteConfig, deps: PlanDeps, previous?: RoutePlan): RoutePlan {
  const upstream = deps.upstreamOf(config.upstream)
  const guard = deps.guardOf(config)
  const keep = <Key extends 'rateLimiter' | 'hedge' | 'idempotency' | 'coalesce' | 'stale'>(
    key: Key,
    setting: keyof RouteConfig,
    make: () => RoutePlan[Key],
  ): RoutePlan[Key] =>
    previous !== undefined &&
    isSame(previous.config[setting], config[setting]) &&
    isSame(previous.config.tenant, config.tenant)
      ? previous[key]
      : make()
  return {
    name: config.name,
    config,
    upstream,
    stages: admissionStages(config, guard),
    guard,
    priority: PRIORITIES[config.priority],
    timeoutMs: config.timeoutMs,
    maxDurationMs: config.maxDurationMs,
    perTryTimeoutMs: config.perTryTimeoutMs,
    deadlineHeader: config.deadline.mode === 'enforce' ? config.deadline.header.toLowerCase() : undefined,
    rateLimiter: keep('rateLimiter', 'rateLimit', () => rateLimiterOf(config, deps.seed)),
    retry: retryOf(config, upstream, deps.random),
    hedge: keep('hedge', 'hedge', () => hedgeOf(config)),
    idempotency: keep('idempotency', 'idempotencyKey', () => idempotencyOf(config)),
    coalesce: keep('coalesce', 'coalesce', () => coalesceOf(config)),
    stale: keep('stale', 'staleIfError', () => staleOf(config)),
    ladder: ladderOf(config, deps.upstreamOf),
    upgradeProtocols: new Set(config.upgrade.protocols),
    meters: deps.metersOf(config.name),
  }
}

function rateLimiterOf({ rateLimit }: RouteConfig, seed: number): GcraLimiter | undefined {
  if (rateLimit.mode === 'off') return undefined
  const { mode, ratePerSecond, burst, maxKeys } = rateLimit
  // GCRA counts whole permits in a period: a slow rate becomes one permit in a long one.
  const permits = Math.max(1, Math.round(ratePerSecond))
  return new GcraLimiter(
    {
      permits,
      perMs: (1000 * permits) / ratePerSecond,
      burst: burst ?? Math.max(1, Math.ceil(ratePerSecond)),
      maxKeys: Math.min(maxKeys, 1_000_000),
      dark: mode === 'dark',
    },
    { seed },
  )
}

function retryOf({ retry }: RouteConfig, upstream: Upstream, random: Random): RetryPlan | undefined {
  if (retry.mode === 'off' || retry.maxAttempts === 1) return undefined
  const policy = new RetryPolicy(
    {
      maxAttempts: retry.maxAttempts,
      maxElapsedMs: retry.maxElapsedMs,
      initialBackoffMs: retry.backoff.baseMs,
      maxBackoffMs: Math.max(retry.backoff.baseMs, retry.backoff.maxMs),
      maxRetryAfterMs: retry.maxRetryAfterMs,
      budget: upstream.retryBudget,
      dark: retry.mode === 'dark',
    },
    { random },
  )
  return {
    policy,
    statuses: new Set(retry.statuses),
    errors: new Set(retry.errors),
    methods: new Set(retry.methods),
    maxReplayBytes: retry.maxReplayBytes,
  }
}

function hedgeOf({ hedge }: RouteConfig): HedgePlan | undefined {
  if (hedge.mode === 'off') return undefined
  const delay = new HedgeDelay({
    quantile: Math.min(0.9999, Math.max(0.5001, hedge.percentile)),
    minSamples: Math.max(10, hedge.minSamples),
    minDelayMs: hedge.minDelayMs,
  })
  return { delay, maxHedges: hedge.maxHedges, isDark: hedge.mode === 'dark' }
}

function idempotencyOf({ idempotencyKey, tenant }: RouteConfig): IdempotencyPlan | undefined {
  if (idempotencyKey.mode === 'off') return undefined
  const { mode, header, required, methods, ttlMs, maxEntries, maxAnswerBytes } = idempotencyKey
  const bounded = Math.min(maxEntries, Number.MAX_SAFE_INTEGER)
  return {
    header,
    isRequired: required && mode === 'enforce',
    methods: new Set(methods),
    store: new IdempotencyStore({
      ttlMs,
      // A request ends its claim itself, however long it takes: a lease that ran out would let a second one through.
      inFlightTtlMs: Infinity,
      maxEntries: bounded,
      // Without tenants everybody is the same one, and a share for each would only make the store smaller.
      ...(tenant === undefined && { maxPerTenant: bounded }),
      dark: mode === 'dark',
    }),
    maxAnswerBytes,
  }
}

function coalesceOf({ coalesce, tenant }: RouteConfig): CoalescePlan | undefined {
  if (coalesce.mode !== 'enforce') return undefined
  const { maxWaiters, maxAnswerBytes, varyBy } = coalesce
  // A leader that runs out of time hands over: as often as there may be members.
  const coalescer = new Coalescer<StoredAnswer>({ maxMembers: maxWaiters + 1, maxHandovers: maxWaiters })
  return { coalescer, leaders: new Map(), maxAnswerBytes, varyBy, keyFields: keyFieldsOf(varyBy, tenant) }
}

function keyFieldsOf(varyBy: readonly string[], tenant: RouteConfig['tenant']): ReadonlySet<string> {
  return new Set(['host', ...varyBy, ...(tenant === undefined ? [] : [tenant.header])])
}

function staleOf({ staleIfError, tenant }: RouteConfig): StalePlan | undefined {
  if (staleIfError.mode === 'off') return undefined
  const { mode, ttlMs, maxSizeBytes, maxAnswerBytes, varyBy } = staleIfError
  const cache = new StaleCache<StoredAnswer>({
    maxBytes: maxSizeBytes,
    maxEntryBytes: Math.min(maxSizeBytes, maxAnswerBytes + 8192),
  })
  return {
    cache,
    ttlMs,
    maxAnswerBytes,
    varyBy,
    keyFields: keyFieldsOf(varyBy, tenant),
    isDark: mode === 'dark',
  }
}

function ladderOf({ ladder }: RouteConfig, upstreamOf: (name: string) => Upstream): LadderPlan | undefined {
  if (ladder.mode === 'off') return undefined
  return {
    statuses: new Set(ladder.statuses),
    steps: ladder.steps.map((step) => ({
      step,
      upstream: step.serve === 'upstream' ? upstreamOf(step.upstream) : undefined,
    })),
    isDark: ladder.mode === 'dark',
  }
}
