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
  #permits: CompiledPolicy[] = []
  #forbids: CompiledPolicy[] = []
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
    this.#permits.length = 0
    this.#forbids.length = 0
    this.#failures = undefined
    this.#forbidFailed = false
    index.walk(this)
    const failClosed = this.#forbidFailed && forbidErrors === 'deny'
    const determining = this.#forbids.length > 0 ? this.#forbids : failClosed ? [] : this.#permits
    return {
      decision: this.#forbids.length === 0 && this.#permits.length > 0 && !failClosed ? 'allow' : 'deny',
      reasons: reasonsOf(determining),
      errors: this.#failures ?? NO_FAILURES,
      policyVersion,
      obligations: obligationsOf(determining),
      engine: 'compiled',
    }
  }

  #evaluate(policy: CompiledPolicy): void {
    const { body } = policy
    const satisfied = body === undefined ? true : body(this.frame)
    if (satisfied === false) return
    if (satisfied === true) (policy.effect === 'permit' ? this.#permits : this.#forbids).push(policy)
    else if (satisfied === ERROR) this.#fail(policy, this.frame.fault)
  }

  #fail(policy: CompiledPolicy, fault: Fault | undefined): void {
    const { id: policyId, effect } = policy
    if (effect === 'forbid') this.#forbidFailed = true
    const message = `${fault?.what ?? 'evaluation failed'}, at ${positionOf(policy.source.text, fault?.at ?? 0)}`
    ;(this.#failures ??= []).push({ policyId, effect, message })
  }
}

function reasonsOf(policies: readonly CompiledPolicy[]): readonly string[] {
  const [first] = policies
  if (first === undefined) return NO_REASONS
  return policies.length === 1 ? first.reasons : policies.map((policy) => policy.id)
}

function obligationsOf(policies: readonly CompiledPolicy[]): readonly Obligation[] {
  let all = NO_OBLIGATIONS
  for (const { obligations } of policies) {
    if (obligations.length > 0) all = all.length === 0 ? obligations : [...all, ...obligations]
  }
  return all
}
