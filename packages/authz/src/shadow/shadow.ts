import type { Decision } from '../engine/decision.ts'
import type { AuthzRequest } from '../engine/request.ts'

/** Whoever decides: an `Authorizer`, a `BundleHolder` behind a function. */
export interface Decider {
  decide(request: AuthzRequest): Decision
}

/** A request on which the candidate decides otherwise. */
export interface ShadowChange {
  readonly request: AuthzRequest
  readonly active: Decision
  readonly candidate: Decision
}

/** All changes with the same cause. */
export interface ShadowGroup {
  readonly change: 'now-allowed' | 'now-denied' | 'failing'
  /** The policies behind it: the candidate's that decide; for a lost permit the active ones that permitted. */
  readonly policies: readonly string[]
  readonly count: number
  /** The first few, to look at. */
  readonly examples: readonly ShadowChange[]
}

/** What putting the candidate into force would change. */
export interface ShadowReport {
  readonly decided: number
  readonly changed: number
  readonly groups: readonly ShadowGroup[]
}

export interface ShadowOptions {
  /** Examples kept for each group. Default 3. */
  readonly maxExamples?: number
  /** Groups kept; changes beyond them are only counted. Default 200. */
  readonly maxGroups?: number
}

/**
 * Decides with the active policies and asks the candidate beside them. What the candidate says, or whether it throws, changes
 * nothing for the caller. Costs a second decision, and memory for the groups alone.
 */
export class ShadowComparison implements Decider {
  readonly #active: Decider
  readonly #candidate: Decider
  readonly #maxExamples: number
  readonly #maxGroups: number
  readonly #groups = new Map<string, { group: ShadowGroup; count: number; examples: ShadowChange[] }>()
  #decided = 0
  #changed = 0

  constructor(active: Decider, candidate: Decider, options: ShadowOptions = {}) {
    this.#active = active
    this.#candidate = candidate
    this.#maxExamples = options.maxExamples ?? 3
    this.#maxGroups = options.maxGroups ?? 200
  }

  /** The active policies' decision. */
  decide(request: AuthzRequest): Decision {
    const active = this.#active.decide(request)
    this.#decided += 1
    try {
      this.#compare(request, active, this.#candidate.decide(request))
    } catch {
      this.#changed += 1
    }
    return active
  }

  report(): ShadowReport {
    const groups = [...this.#groups.values()].map(({ group, count, examples }) => ({
      ...group,
      count,
      examples: [...examples],
    }))
    return {
      decided: this.#decided,
      changed: this.#changed,
      groups: groups.toSorted((a, b) => b.count - a.count),
    }
  }

  #compare(request: AuthzRequest, active: Decision, candidate: Decision): void {
    const isFailing = candidate.errors.length > active.errors.length
    if (active.decision === candidate.decision && !isFailing) return
    this.#changed += 1
    const cause = causeOf(active, candidate)
    const key = `${cause.change} ${cause.policies.join('\n')}`
    let entry = this.#groups.get(key)
    if (entry === undefined) {
      if (this.#groups.size >= this.#maxGroups) return
      entry = { group: { ...cause, count: 0, examples: [] }, count: 0, examples: [] }
      this.#groups.set(key, entry)
    }
    entry.count += 1
    if (entry.examples.length < this.#maxExamples) entry.examples.push({ request, active, candidate })
  }
}

function causeOf(active: Decision, candidate: Decision): Pick<ShadowGroup, 'change' | 'policies'> {
  const sorted = (ids: readonly string[]): readonly string[] => [...ids].sort()
  if (active.decision === candidate.decision) {
    return { change: 'failing', policies: sorted(candidate.errors.map(({ policyId }) => policyId)) }
  }
  if (candidate.decision === 'allow') return { change: 'now-allowed', policies: sorted(candidate.reasons) }
  const lost = candidate.reasons.length > 0 ? candidate.reasons : active.reasons
  return { change: 'now-denied', policies: sorted(lost) }
}
