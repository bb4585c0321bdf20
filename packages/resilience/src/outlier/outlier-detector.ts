import { OptionCheck } from '../internal/option-check.ts'
import { WatchedHost } from './host.ts'
import type { EjectionReason, HostOutcome } from './host.ts'

export interface OutlierDetectorOptions {
  /** Errors of any kind in a row before a host is ejected. Whole number; 0 turns it off. Default 5. */
  readonly consecutiveErrors?: number
  /** 502, 503, 504 and local errors in a row. Whole number; 0 turns it off. Default 5. */
  readonly consecutiveGatewayErrors?: number
  /** Failures to connect, resets and timeouts in a row. Whole number; 0 turns it off. Default 3. */
  readonly consecutiveLocalErrors?: number
  /** How often hosts are compared and ejections end. Milliseconds, above 0. Default 10 000. */
  readonly intervalMs?: number
  /** Requests in an interval before a host is compared. Whole number, 1 or more. Default 50. */
  readonly minRequests?: number
  /** Hosts with enough requests before any are compared. Whole number, 2 or more. Default 3. */
  readonly minHosts?: number
  /** Standard deviations (estimated from the median deviation) below the median success rate that make an outlier. Above 0. Default 3. */
  readonly deviations?: number
  /** A host must be worse than the median by this much, however alike the others are. 0–1; 1 turns comparing off. Default 0.05. */
  readonly minGap?: number
  /** Share of failures at which a host is ejected whatever the others do. Above 0, up to 1. Default 0.85. */
  readonly failureRatio?: number
  /** Length of a first ejection; the n-th in a row lasts n times as long. Milliseconds, above 0. Default 30 000. */
  readonly ejectionMs?: number
  /** Longest ejection. Milliseconds, `ejectionMs` or more. Default 300 000. */
  readonly maxEjectionMs?: number
  /** Largest share of hosts ejected at once. 0–1. The last usable host is never ejected. Default 0.5. */
  readonly maxEjectedRatio?: number
  /** Decide and count, but eject nobody. Default false. */
  readonly dark?: boolean
}

export interface OutlierDetectorDeps {
  readonly onEject?: (host: WatchedHost, nowMs: number) => void
  readonly onReturn?: (host: WatchedHost, nowMs: number) => void
}

/**
 * Takes hosts out of use that do worse than their peers (after Envoy's outlier detection): by errors in a row, at
 * once; by success rate against the other hosts and by share of failures, once an interval. The share ejected is
 * counted *including* the host about to be ejected, so the cap is never exceeded and the last usable host stays.
 * Call `tick` at least once an interval. O(1) a request, O(hosts) an interval.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class OutlierDetector {
  readonly dark: boolean
  readonly #options: Required<OutlierDetectorOptions>
  readonly #deps: OutlierDetectorDeps
  readonly #hosts = new Map<string, WatchedHost>()
  #ejected = 0
  #intervalStartedMs: number
  /** Ejections; in dark mode those that would have been. */
  ejections = 0
  /** Ejections that did not happen because of the cap. */
  capped = 0

  constructor(options: OutlierDetectorOptions, nowMs: number, deps: OutlierDetectorDeps = {}) {
    const { consecutiveErrors = 5, consecutiveGatewayErrors = 5, consecutiveLocalErrors = 3 } = options
    const { intervalMs = 10_000, minRequests = 50, minHosts = 3, deviations = 3, minGap = 0.05 } = options
    const { failureRatio = 0.85, ejectionMs = 30_000, maxEjectionMs = 300_000 } = options
    const { maxEjectedRatio = 0.5, dark = false } = options
    new OptionCheck('outlier detection')
      .whole('consecutiveErrors', consecutiveErrors, 0)
      .whole('consecutiveGatewayErrors', consecutiveGatewayErrors, 0)
      .whole('consecutiveLocalErrors', consecutiveLocalErrors, 0)
      .above('intervalMs', intervalMs, 0)
      .whole('minRequests', minRequests, 1)
      .whole('minHosts', minHosts, 2)
      .above('deviations', deviations, 0)
      .ratio('minGap', minGap)
      .share('failureRatio', failureRatio)
      .above('ejectionMs', ejectionMs, 0)
      .that(
        maxEjectionMs >= ejectionMs,
        `maxEjectionMs must be ejectionMs (${ejectionMs}) or more, got ${maxEjectionMs}`,
      )
      .ratio('maxEjectedRatio', maxEjectedRatio)
      .done()
    this.#options = {
      consecutiveErrors,
      consecutiveGatewayErrors,
      consecutiveLocalErrors,
      intervalMs,
      minRequests,
      minHosts,
      deviations,
      minGap,
      failureRatio,
      ejectionMs,
      maxEjectionMs,
      maxEjectedRatio,
      dark,
    }
    this.#deps = deps
    this.#intervalStartedMs = nowMs
    this.dark = dark
  }

  get hosts(): IterableIterator<WatchedHost> {
    return this.#hosts.values()
  }

  /** Hosts out of use now. */
  get ejected(): number {
    return this.#ejected
  }

  /** Sets the hosts under watch. Those that stay keep their record; those that go are forgotten. */
  setHosts(ids: readonly string[]): void {
    const wanted = new Set(ids)
    for (const [id, host] of this.#hosts) {
      if (wanted.has(id)) continue
      this.#hosts.delete(id)
      if (host.ejected) this.#ejected--
    }
    for (const id of wanted) if (!this.#hosts.has(id)) this.#hosts.set(id, new WatchedHost(id))
  }

  host(id: string): WatchedHost | undefined {
    return this.#hosts.get(id)
  }

  /** Notes what a request to `host` came to. Answers 4xx are successes here: they say nothing bad about the host. */
  record(host: WatchedHost, outcome: HostOutcome, nowMs: number): void {
    // Late answers to requests from before the ejection belong to a closed account.
    if (host.ejected) return
    host.requests++
    if (outcome === 'success') {
      host.consecutiveErrors = 0
      host.consecutiveGatewayErrors = 0
      host.consecutiveLocalErrors = 0
      return
    }
    host.failures++
    host.consecutiveErrors++
    host.consecutiveGatewayErrors = outcome === 'server-error' ? 0 : host.consecutiveGatewayErrors + 1
    host.consecutiveLocalErrors = outcome === 'local-error' ? host.consecutiveLocalErrors + 1 : 0
    const reason = this.#tooManyInARow(host)
    if (reason !== undefined) this.#eject(host, reason, nowMs)
  }

  /** Ends ejections that are over and, once an interval, compares the hosts. */
  tick(nowMs: number): void {
    if (this.#ejected > 0)
      for (const host of this.#hosts.values())
        if (host.ejected && host.ejectedUntilMs <= nowMs) this.#return(host, nowMs)
    if (nowMs - this.#intervalStartedMs < this.#options.intervalMs) return
    this.#intervalStartedMs = nowMs
    this.#compare(nowMs)
  }

  /** Ejects by hand. Keeps to the cap and to the last host like any other ejection; returns whether it happened. */
  eject(host: WatchedHost, nowMs: number): boolean {
    return !host.ejected && this.#eject(host, 'operator', nowMs)
  }

  /** Brings a host back by hand, with a clean record. */
  uneject(host: WatchedHost, nowMs: number): void {
    host.ejections = 0
    if (host.ejected) this.#return(host, nowMs)
  }

  #tooManyInARow(host: WatchedHost): EjectionReason | undefined {
    const { consecutiveErrors, consecutiveGatewayErrors, consecutiveLocalErrors } = this.#options
    if (consecutiveLocalErrors > 0 && host.consecutiveLocalErrors >= consecutiveLocalErrors)
      return 'consecutive-local-errors'
    if (consecutiveGatewayErrors > 0 && host.consecutiveGatewayErrors >= consecutiveGatewayErrors)
      return 'consecutive-gateway-errors'
    if (consecutiveErrors > 0 && host.consecutiveErrors >= consecutiveErrors) return 'consecutive-errors'
    return undefined
  }

  #compare(nowMs: number): void {
    const { minRequests, minHosts, deviations, minGap, failureRatio } = this.#options
    const compared = [...this.#hosts.values()].filter((host) => !host.ejected && host.requests >= minRequests)
    const rates = compared.map((host) => 1 - host.failures / host.requests)
    // Median and its deviation instead of mean and sigma: of three hosts none can be 1.9 sigma from the mean, and two
    // bad hosts of five would hide each other.
    const median = medianOf(rates)
    const spread = 1.4826 * medianOf(rates.map((rate) => Math.abs(rate - median)))
    const threshold = median - Math.max(deviations * spread, minGap)
    const worstFirst = compared
      .map((host, index) => ({ host, rate: rates[index] as number }))
      .sort((a, b) => a.rate - b.rate)
    for (const { host, rate } of worstFirst) {
      if (1 - rate >= failureRatio) this.#eject(host, 'failure-ratio', nowMs)
      else if (compared.length >= minHosts && rate < threshold) this.#eject(host, 'success-rate', nowMs)
    }
    for (const host of this.#hosts.values()) {
      // An interval in use without a new ejection lives one old one down.
      if (!host.ejected && host.ejections > 0 && host.requests > 0) host.ejections--
      host.requests = 0
      host.failures = 0
    }
  }

  #eject(host: WatchedHost, reason: EjectionReason, nowMs: number): boolean {
    const { ejectionMs, maxEjectionMs, maxEjectedRatio } = this.#options
    const hosts = this.#hosts.size
    const after = this.#ejected + 1
    if (after >= hosts || after > hosts * maxEjectedRatio) {
      this.capped++
      host.clear()
      return false
    }
    this.ejections++
    host.clear()
    host.reason = reason
    if (this.dark) return false
    host.ejections++
    host.ejected = true
    host.ejectedUntilMs = nowMs + Math.min(maxEjectionMs, ejectionMs * host.ejections)
    this.#ejected++
    this.#deps.onEject?.(host, nowMs)
    return true
  }

  #return(host: WatchedHost, nowMs: number): void {
    host.ejected = false
    host.clear()
    this.#ejected--
    this.#deps.onReturn?.(host, nowMs)
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 1
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
