import { Deadline } from '@breakwater/core'
import type { HedgePlan } from '../plan/route-plan.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'

/**
 * Asks a second endpoint when the first takes longer than nearly all do. Only reads without a body; only while the retry
 * budget has an extra try, and only into a place that is free now: a hedge never queues.
 */
export class Hedging {
  readonly #exchange: Exchange
  readonly #plan: HedgePlan
  readonly #timer: Deadline
  #first: Attempt | undefined
  #hedges = 0

  private constructor(exchange: Exchange, plan: HedgePlan) {
    this.#exchange = exchange
    this.#plan = plan
    this.#timer = new Deadline((nowMs) => this.#onLate(nowMs))
  }

  static of(exchange: Exchange): Hedging | undefined {
    const { hedge } = exchange.plan
    const { method, body, upgrade } = exchange.inbound.request
    const isRead = (method === 'GET' || method === 'HEAD') && body === 'none' && upgrade === undefined
    return hedge === undefined || !isRead ? undefined : new Hedging(exchange, hedge)
  }

  /** A try has started: if it is late, another follows. */
  arm(attempt: Attempt, nowMs: number): void {
    this.#first ??= attempt
    if (this.#hedges >= this.#plan.maxHedges) return
    const delayMs = this.#plan.delay.delayMs(this.#exchange.attempts.upstream.name, nowMs)
    if (delayMs !== Infinity) this.#wheel.arm(this.#timer, nowMs + delayMs)
  }

  /** The head that decides has come. Latencies are learnt from the first try's start, so that hedges do not hide them. */
  onHead(winner: Attempt, nowMs: number): void {
    this.disarm()
    const first = this.#first ?? winner
    if (winner.status < 500)
      this.#plan.delay.record(this.#exchange.attempts.upstream.name, nowMs - first.startedMs, nowMs)
    if (winner !== first) this.#exchange.plan.meters.hedgesWon.inc()
  }

  disarm(): void {
    this.#wheel.disarm(this.#timer)
  }

  get #wheel(): Exchange['listener']['runtime']['driver']['wheel'] {
    return this.#exchange.listener.runtime.driver.wheel
  }

  #onLate(nowMs: number): void {
    const { attempts, plan } = this.#exchange
    const { upstream } = attempts
    if (upstream.endpoints.length < 2) return
    if (this.#plan.isDark) return plan.meters.hedges.inc()
    if (!upstream.gate.tryEnter(nowMs)) return
    if (!upstream.retryBudget.withdraw(nowMs)) return upstream.gate.leave('ignored', 0, nowMs)
    this.#hedges++
    plan.meters.hedges.inc()
    attempts.launch(nowMs)
  }
}
