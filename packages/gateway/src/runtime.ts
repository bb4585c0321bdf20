import type { Random } from '@breakwater/core'
import type { GatewayConfig } from '@breakwater/contract'
import type { Driver, Forwarding } from '@breakwater/http'
import type { OverloadManager } from '@breakwater/resilience/load'
import type { AccessWatch } from './authorization/access-watch.ts'
import type { FinishedRequest } from './telemetry/reporter.ts'

/** What every request of a gateway shares. One object, made at start. */
export interface Runtime {
  readonly driver: Driver
  readonly random: Random
  readonly overload: OverloadManager | undefined
  readonly traces: GatewayConfig['telemetry']['traces']
  /** Asks again about answers that take long. */
  readonly watch: AccessWatch
}

/** What the requests of one listener share. */
export interface ListenerContext {
  readonly runtime: Runtime
  readonly forwarding: Forwarding
  /** How long a client that has closed its sending side is waited for. Milliseconds. */
  readonly halfClosedMs: number
  /** A request is over: for logs and meters. */
  report(exchange: FinishedRequest, nowMs: number): void
}
