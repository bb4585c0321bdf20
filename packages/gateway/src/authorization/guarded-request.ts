import type { Counter } from '@breakwater/telemetry'
import type { FoundRequest } from './finding.ts'
import type { KnownCaller } from './known-callers.ts'
import type { AskedRequest } from './question.ts'
import type { RedactedRequest, Redaction } from './redaction/redaction.ts'

/** What the guard of a route reads of a request, and what it notes on it. */
export interface GuardedRequest extends AskedRequest, FoundRequest, RedactedRequest {
  readonly inbound: RedactedRequest['inbound']
  readonly plan: RedactedRequest['plan'] & { readonly meters: { readonly denied: Pick<Counter, 'inc'> } }
  readonly path: string
  /** When the answer stops being useful. Monotonic milliseconds. */
  readonly deadlineMs: number
  /** Whether the caller asked for an end that is earlier than the route's. */
  readonly isCallersDeadline: boolean
  tenantName: string
  /** Who asks, once verified; undefined on public routes. */
  caller: KnownCaller | undefined
  /** Obligations of the decision that the upstream carries out. */
  obligations: string | undefined
  /** What is withheld here from the answer of the upstream. */
  redaction: Redaction | undefined
}

/** An answer that is under way. */
export interface GivenAnswer {
  readonly exchange: GuardedRequest
  /** Who has it; undefined while its route does not have to know. */
  caller: KnownCaller | undefined
}
