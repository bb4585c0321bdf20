import type { AuthzRequest, Decision } from '@breakwater/authz'
import type { DecisionEntry } from '@breakwater/authz/operate'

/** What was decided about the rows of one answer, for one record. */
export class RowTally {
  /** Without the row. */
  readonly request: AuthzRequest
  readonly #kept: string[] = []
  #dropped = 0
  #unreadable = 0
  readonly #reasons = new Set<string>()
  readonly #errors = new Map<string, Decision['errors'][number]>()
  readonly #obligations = new Map<string, Decision['obligations'][number]>()
  #last: Decision | undefined

  constructor(request: AuthzRequest) {
    this.request = request
  }

  get isEmpty(): boolean {
    return this.#kept.length + this.withheld.dropped + this.withheld.unreadable === 0
  }

  get withheld(): { readonly dropped: number; readonly unreadable: number } {
    return { dropped: this.#dropped, unreadable: this.#unreadable }
  }

  kept(id: string, decision: Decision): void {
    this.#kept.push(id)
    this.#note(decision)
  }

  dropped(decision: Decision): readonly never[] {
    this.#dropped += 1
    if (decision.decision === 'deny') this.#noteErrors(decision)
    return []
  }

  unreadable(): readonly never[] {
    this.#unreadable += 1
    return []
  }

  /**
   * One record for the answer: by whom and by which policies what was shown was shown, with the ids of it, and how much was not.
   * The object is the one that the list belongs to.
   */
  entry(timeMs: number, policyVersion: string, traceId: string): DecisionEntry {
    return {
      timeMs,
      request: this.request,
      decision: {
        decision: this.#kept.length > 0 ? 'allow' : 'deny',
        reasons: [...this.#reasons],
        errors: [...this.#errors.values()],
        obligations: [...this.#obligations.values()],
        policyVersion: this.#last?.policyVersion ?? policyVersion,
        engine: this.#last?.engine ?? 'compiled',
      },
      rows: { kept: this.#kept, ...this.withheld },
      traceId,
    }
  }

  #note(decision: Decision): void {
    for (const reason of decision.reasons) this.#reasons.add(reason)
    for (const one of decision.obligations) this.#obligations.set(`${one.name}=${one.value}`, one)
    this.#noteErrors(decision)
  }

  #noteErrors(decision: Decision): void {
    this.#last = decision
    for (const one of decision.errors) this.#errors.set(one.policyId, one)
  }
}
