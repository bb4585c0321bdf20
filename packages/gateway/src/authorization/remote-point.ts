import type { AuthzRequest } from '@breakwater/authz'
import { AuthzError } from '@breakwater/authz'
import { OpaClient } from '@breakwater/authz/adapters'
import type { PdpBreaker, PdpPermit } from '@breakwater/authz/adapters'
import { refused } from '@breakwater/authz/operate'
import { readSecret } from '@breakwater/contract'
import { systemClock } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import { REFUSED } from '@breakwater/resilience/machines'
import type { CircuitBreaker } from '@breakwater/resilience/machines'
import { isSame } from '../same.ts'
import { breakerOf } from '../upstream/controls.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { MadeDecision } from './decision-point.ts'

/** Settings of `authorization.opa`. */
export type OpaConfig = NonNullable<AuthorizationConfig['opa']>

/** A policy engine in another process as the decision point: asked over the network, so that requests wait for it. */
export class RemotePoint {
  readonly #settings: OpaConfig
  readonly #client: OpaClient
  /** Undefined when it is off. */
  readonly breaker: CircuitBreaker | undefined
  #underWay = 0

  private constructor(settings: OpaConfig, clock: Clock) {
    const { url, path, timeoutMs, maxAnswerBytes, token } = settings
    const breaker = breakerOf({ name: 'authorization.opa', breaker: settings.breaker }, Math.random)
    this.breaker = breaker
    this.#settings = settings
    this.#client = new OpaClient(
      {
        url,
        path,
        timeoutMs,
        maxAnswerBytes,
        ...(token !== undefined && { headers: { authorization: `Bearer ${readSecret(token)}` } }),
      },
      breaker === undefined ? {} : { breaker: permitsOf(breaker, clock) },
    )
  }

  /**
   * `previous` goes on with what its breaker has learnt when the settings are still the same.
   *
   * @throws `BW_CONFIG_SECRET_MISSING` when the token cannot be read.
   */
  static open(
    settings: OpaConfig,
    previous: RemotePoint | undefined,
    clock: Clock = systemClock,
  ): RemotePoint {
    const canStay = previous !== undefined && isSame(previous.#settings, settings)
    return canStay ? previous : new RemotePoint(settings, clock)
  }

  get version(): string {
    return this.#client.version
  }

  /** How many answers under way may be asked about at the same time: most of what it takes is for requests. */
  get maxAskedAgain(): number {
    return Math.ceil(this.#settings.maxConcurrent / 4)
  }

  /** How long an answer under way outlives the last time that this could be asked about it. Milliseconds. */
  get graceMs(): number {
    return this.#settings.graceMs
  }

  /** Never rejects: whatever goes wrong is a deny with a `failure`. `signal` ends the question when nobody waits any more. */
  async ask(request: AuthzRequest, signal?: AbortSignal): Promise<MadeDecision> {
    const { maxConcurrent } = this.#settings
    if (this.#underWay >= maxConcurrent) return this.#tooMany(maxConcurrent)
    this.#underWay += 1
    try {
      return await this.#client.decide(request, signal)
    } finally {
      this.#underWay -= 1
    }
  }

  #tooMany(limit: number): MadeDecision {
    const failure = new AuthzError(
      'BW_AUTHZ_PDP_UNAVAILABLE',
      `${limit} questions are under way, OPA is not asked`,
    )
    return refused(failure, this.version, 'opa')
  }
}

/** The breaker counts calls by permits and durations. */
function permitsOf(breaker: CircuitBreaker, clock: Clock): PdpBreaker {
  return {
    admit: (): PdpPermit | undefined => {
      const startMs = clock.now()
      const permit = breaker.admit(startMs)
      if (permit === REFUSED) return undefined
      const told = (tell: (nowMs: number) => void) => (): void => tell(clock.now())
      return {
        succeeded: told((nowMs) => breaker.onSuccess(permit, nowMs - startMs, nowMs)),
        failed: told((nowMs) => breaker.onFailure(permit, nowMs - startMs, nowMs)),
        ignored: () => breaker.onIgnored(permit),
      }
    },
  }
}
