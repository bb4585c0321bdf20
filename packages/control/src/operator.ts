import type { Clock } from '@breakwater/core'
import type { Gateway } from '@breakwater/gateway'
import { errors } from './errors.ts'

const BREAKER_ACTIONS = ['forceOpen', 'forceClosed', 'trip', 'reset'] as const

export interface BreakerOrder {
  readonly action: (typeof BREAKER_ACTIONS)[number]
  /** Who asks, for the state and the audit. */
  readonly by: string
}

type Upstream = NonNullable<ReturnType<Gateway['upstream']>>
type Breaker = NonNullable<Gateway['opaBreaker']>

/** @throws `BW_CONTROL_BODY_INVALID` naming what is wrong. */
export function readBreakerOrder(body: unknown): BreakerOrder {
  const { action, by, ...rest } = typeof body === 'object' && body !== null ? (body as Fields) : {}
  const known = BREAKER_ACTIONS.find((name) => name === action)
  const problems = [
    ...(known === undefined ? [`action must be one of ${BREAKER_ACTIONS.join(', ')}`] : []),
    ...(typeof by === 'string' && /^[^\p{Cc}]{1,100}$/u.test(by)
      ? []
      : ['by must name who asks, in 1 to 100 characters']),
    ...Object.keys(rest).map((key) => `"${key.slice(0, 40)}" is unknown`),
  ]
  if (known !== undefined && typeof by === 'string' && problems.length === 0) return { action: known, by }
  throw errors.BW_CONTROL_BODY_INVALID(`not an order for a breaker: ${problems.join('; ')}`)
}

type Fields = Readonly<Record<string, unknown>>

/** What an operator may do to the controls of a running gateway. */
export class Operator {
  readonly #gateway: Gateway
  readonly #clock: Clock

  constructor(gateway: Gateway, clock: Clock) {
    this.#gateway = gateway
    this.#clock = clock
  }

  /** @throws `BW_CONTROL_TARGET_MISSING`, `BW_CONTROL_SWITCHED_OFF` */
  steerBreaker(upstreamName: string, order: BreakerOrder): void {
    const { breaker } = this.#upstream(upstreamName)
    if (breaker === undefined) {
      throw errors.BW_CONTROL_SWITCHED_OFF(`the upstream ${upstreamName} has no breaker`)
    }
    this.#steer(breaker, order)
  }

  /** @throws `BW_CONTROL_SWITCHED_OFF` */
  steerOpaBreaker(order: BreakerOrder): void {
    const { opaBreaker } = this.#gateway
    if (opaBreaker === undefined)
      throw errors.BW_CONTROL_SWITCHED_OFF('no engine with a breaker decides: authorization.opa')
    this.#steer(opaBreaker, order)
  }

  #steer(breaker: Breaker, { action, by }: BreakerOrder): void {
    switch (action) {
      case 'forceOpen':
        return breaker.forceOpen(by)
      case 'forceClosed':
        return breaker.forceClosed(by)
      case 'trip':
        return breaker.trip(this.#clock.now())
      case 'reset':
        return breaker.reset(this.#clock.now())
    }
  }

  /** @throws `BW_CONTROL_TARGET_MISSING`, `BW_CONTROL_SWITCHED_OFF`, `BW_CONTROL_EJECTION_REFUSED` */
  setEjected(upstreamName: string, id: string, isEjected: boolean): void {
    const { outliers } = this.#upstream(upstreamName)
    if (outliers === undefined) {
      throw errors.BW_CONTROL_SWITCHED_OFF(`the upstream ${upstreamName} has outlierEjection off`)
    }
    const host = outliers.host(id)
    if (host === undefined) {
      throw errors.BW_CONTROL_TARGET_MISSING(`the upstream ${upstreamName} has no endpoint ${id}`)
    }
    if (!isEjected) return outliers.uneject(host, this.#clock.now())
    if (host.ejected || outliers.eject(host, this.#clock.now())) return
    throw errors.BW_CONTROL_EJECTION_REFUSED(
      outliers.dark
        ? `outlierEjection of ${upstreamName} is in dark mode and ejects nobody`
        : `ejecting ${id} would leave ${upstreamName} with too few endpoints`,
    )
  }

  #upstream(name: string): Upstream {
    const upstream = this.#gateway.upstream(name)
    if (upstream === undefined) throw errors.BW_CONTROL_TARGET_MISSING(`there is no upstream ${name}`)
    return upstream
  }
}
