import { ERROR } from '../values/value.ts'
import { NO_FAILURES, NO_OBLIGATIONS, NO_REASONS, type Decision, type PolicyFailure } from './decision.ts'
import type { Fault, Frame } from './frame.ts'
import { positionOf } from './position.ts'
import type { CompiledPolicy, Obligation } from './policy.ts'
import type { PolicyIndex, Walk } from './policy-index.ts'

/** What to do with a forbid that fails: Cedar's way is to skip it. */
export type ForbidErrors = 'skip' | 'deny'

/** Counts the policies of one decision. Reused from decision to decision. */
export class Tally implements Walk {
  frame: Frame
  readonly each: (policy: CompiledPolicy, walk: Walk) => void = (policy) => this.#evaluate(policy)
  readonly #permits = new Satisfied()
  readonly #forbids = new Satisfied()
  #failures: PolicyFailure[] | undefined
  #forbidFailed = false

  constructor(frame: Frame) {
    this.frame = frame
  }

  /** Whether a forbid failed in the decision just made. */
  get forbidFailed(): boolean {
    return this.#forbidFailed
  }

  decide(index: PolicyIndex, forbidErrors: ForbidErrors, policyVersion: string): Decision {
    this.#permits.clear()
    this.#forbids.clear()
    this.#failures = undefined
    this.#forbidFailed = false
    index.walk(this)
    const failClosed = this.#forbidFailed && forbidErrors === 'deny'
    const forbidden = this.#forbids.any
    const determining = forbidden ? this.#forbids : failClosed ? undefined : this.#permits
    return {
      decision: !forbidden && this.#permits.any && !failClosed ? 'allow' : 'deny',
      reasons: determining?.reasons ?? NO_REASONS,
      errors: this.#failures ?? NO_FAILURES,
      policyVersion,
      obligations: determining?.obligations ?? NO_OBLIGATIONS,
      engine: 'compiled',
    }
  }

  #evaluate(policy: CompiledPolicy): void {
    const { body } = policy
    const satisfied = body === undefined ? true : body(this.frame)
    if (satisfied === false) return
    if (satisfied === true) (policy.effect === 'permit' ? this.#permits : this.#forbids).add(policy)
    else if (satisfied === ERROR) this.#fail(policy, this.frame.fault)
  }

  #fail(policy: CompiledPolicy, fault: Fault | undefined): void {
    const { id: policyId, effect } = policy
    if (effect === 'forbid') this.#forbidFailed = true
    const message = `${fault?.what ?? 'evaluation failed'}, at ${positionOf(policy.source.text, fault?.at ?? 0)}`
    ;(this.#failures ??= []).push({ policyId, effect, message })
  }
}

/** The satisfied policies of one effect. Mostly there is one, which needs no array. */
class Satisfied {
  #first: CompiledPolicy | undefined
  #more: CompiledPolicy[] | undefined

  get any(): boolean {
    return this.#first !== undefined
  }

  add(policy: CompiledPolicy): void {
    if (this.#first === undefined) this.#first = policy
    else (this.#more ??= []).push(policy)
  }

  clear(): void {
    this.#first = undefined
    this.#more = undefined
  }

  get reasons(): readonly string[] {
    const first = this.#first
    const more = this.#more
    if (first === undefined) return NO_REASONS
    return more === undefined ? first.reasons : [first.id, ...more.map((policy) => policy.id)]
  }

  get obligations(): readonly Obligation[] {
    const first = this.#first
    const more = this.#more
    if (first === undefined) return NO_OBLIGATIONS
    if (more === undefined) return first.obligations
    return [first, ...more].flatMap(({ obligations }) => obligations)
  }
}
