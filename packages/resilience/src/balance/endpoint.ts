/** One endpoint as the balancer sees it. Owned by the upstream, one object for as long as the endpoint exists. */
export class BalancedEndpoint {
  readonly id: string
  /** Capacity in relation to the others. Above 0. */
  readonly weight: number
  /** When it began, or came back from ejection; `-Infinity` skips slow start. Monotonic milliseconds. */
  startedMs: number
  /** False keeps it out of `pick`, except in a panic. Change it through the balancer's `setUsable`. */
  usable = true
  /** Requests running. Kept by the balancer. */
  inflight = 0
  /** Peak-sensitive moving average of the latency. 0: nothing known yet. Milliseconds. */
  latencyMs = 0
  /** Moving share of failures among its last answers, 0–1, as of `measuredMs`. */
  failureRatio = 0
  /** Until then it asked to be left alone (429, 503 with Retry-After). */
  pausedUntilMs = 0
  /** @internal When the averages were last brought up to date. */
  measuredMs = 0

  constructor(id: string, weight = 1, startedMs: number = -Infinity) {
    this.id = id
    this.weight = weight
    this.startedMs = startedMs
  }
}
