import { OptionCheck } from '../internal/option-check.ts'

export interface BreakerOptions {
  /** What the breaker protects; names it in events. One breaker per dependency, shared by all its callers. Default ''. */
  readonly key?: string
  /** Opens after so many failures in a row. A whole number, 1 or more; `Infinity`: never. Default 5. */
  readonly consecutiveFailures?: number
  /** Opens when at least this share of the window's calls failed. Above 0, up to 1; `Infinity`: never. Default 0.5. */
  readonly failureRatio?: number
  /** Opens when at least this share of the window's calls was slow. Above 0, up to 1; `Infinity`: never. Default 1. */
  readonly slowRatio?: number
  /** A call of this duration or more is slow, whatever its result. Milliseconds. Default `Infinity`: none is. */
  readonly slowCallMs?: number
  /** The ratios say nothing below this many calls in the window. A whole number, 1 or more. Default 20. */
  readonly minCalls?: number
  /** Milliseconds, above 0. Default 10 000. */
  readonly windowMs?: number
  /** Steps in which the window moves. A whole number from 1 to 1000. Default 10. */
  readonly windowBuckets?: number
  /** First time open. Milliseconds, above 100: a shorter pause is none. Default 30 000. */
  readonly openMs?: number
  /** Each opening soon after the last is this much longer. 1 or more. Default 2. */
  readonly openGrowth?: number
  /** The longest time open. Milliseconds, `openMs` or more. Default 10 × `openMs`. */
  readonly maxOpenMs?: number
  /** The time open is shortened by a random share of up to this much, so that instances do not probe together. 0–1. Default 0.2. */
  readonly openJitterRatio?: number
  /** Probes in flight at the same time. More than one can knock over what is just getting up. A whole number, 1 or more. Default 1. */
  readonly maxConcurrentProbes?: number
  /** Probes that decide half-open. A whole number, 1 or more. Default 3. */
  readonly probes?: number
  /** Probes that must succeed for closing. 1 to `probes`. Default: `probes`. */
  readonly probeSuccesses?: number
  /** A probe that has not reported by then counts as failed and its late report as nothing. Milliseconds, above 0. Default 60 000. */
  readonly probeLeaseMs?: number
  /** Decide and count, but refuse nobody. Default false. */
  readonly dark?: boolean
}

export type ResolvedBreakerOptions = Required<BreakerOptions>

export function resolveBreakerOptions(options: BreakerOptions): ResolvedBreakerOptions {
  const openMs = options.openMs ?? 30_000
  const probes = options.probes ?? 3
  const resolved: ResolvedBreakerOptions = {
    key: options.key ?? '',
    consecutiveFailures: options.consecutiveFailures ?? 5,
    failureRatio: options.failureRatio ?? 0.5,
    slowRatio: options.slowRatio ?? 1,
    slowCallMs: options.slowCallMs ?? Infinity,
    minCalls: options.minCalls ?? 20,
    windowMs: options.windowMs ?? 10_000,
    windowBuckets: options.windowBuckets ?? 10,
    openMs,
    openGrowth: options.openGrowth ?? 2,
    maxOpenMs: options.maxOpenMs ?? openMs * 10,
    openJitterRatio: options.openJitterRatio ?? 0.2,
    probes,
    maxConcurrentProbes: options.maxConcurrentProbes ?? 1,
    probeSuccesses: options.probeSuccesses ?? probes,
    probeLeaseMs: options.probeLeaseMs ?? 60_000,
    dark: options.dark ?? false,
  }
  check(resolved)
  return resolved
}

function check(options: ResolvedBreakerOptions): void {
  const asked = new OptionCheck('breaker')
  if (options.consecutiveFailures !== Infinity)
    asked.whole('consecutiveFailures', options.consecutiveFailures, 1)
  for (const key of ['failureRatio', 'slowRatio'] as const)
    if (options[key] !== Infinity) asked.above0(key, options[key]).ratio(key, options[key])
  asked
    .above0('slowCallMs', options.slowCallMs)
    .whole('minCalls', options.minCalls, 1)
    .above0('windowMs', options.windowMs)
    .whole('windowBuckets', options.windowBuckets, 1)
    .that(options.windowBuckets <= 1000, `windowBuckets must be 1000 or less, got ${options.windowBuckets}`)
    .above('openMs', options.openMs, 100)
    .that(options.openGrowth >= 1, `openGrowth must be 1 or more, got ${options.openGrowth}`)
    .that(options.maxOpenMs >= options.openMs, `maxOpenMs must be openMs or more, got ${options.maxOpenMs}`)
    .ratio('openJitterRatio', options.openJitterRatio)
    .whole('probes', options.probes, 1)
    .whole('maxConcurrentProbes', options.maxConcurrentProbes, 1)
    .whole('probeSuccesses', options.probeSuccesses, 1)
    .that(
      options.probeSuccesses <= options.probes,
      `probeSuccesses must be at most probes (${options.probes}), got ${options.probeSuccesses}`,
    )
    .above0('probeLeaseMs', options.probeLeaseMs)
    .done()
}
