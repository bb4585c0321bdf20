/** What one request to a host came to. `gateway-error`: 502, 503, 504. `local-error`: no connection, reset, timeout. */
export type HostOutcome = 'success' | 'server-error' | 'gateway-error' | 'local-error'

/** Why a host was ejected. `operator`: by hand. */
export type EjectionReason =
  | 'consecutive-errors'
  | 'consecutive-gateway-errors'
  | 'consecutive-local-errors'
  | 'success-rate'
  | 'failure-ratio'
  | 'operator'

/** One host under watch. Fixed size, whatever the traffic. */
export class WatchedHost {
  readonly id: string
  ejected = false
  /** When it comes back. Monotonic milliseconds. */
  ejectedUntilMs = 0
  reason: EjectionReason | undefined
  /** Ejections that have not been lived down yet: the multiplier of the next one. */
  ejections = 0
  /** @internal */ consecutiveErrors = 0
  /** @internal */ consecutiveGatewayErrors = 0
  /** @internal */ consecutiveLocalErrors = 0
  /** @internal Answers and failures in the running interval. */
  requests = 0
  /** @internal */ failures = 0

  constructor(id: string) {
    this.id = id
  }

  /** @internal */
  clear(): void {
    this.consecutiveErrors = 0
    this.consecutiveGatewayErrors = 0
    this.consecutiveLocalErrors = 0
    this.requests = 0
    this.failures = 0
  }
}
