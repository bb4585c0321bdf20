import { AuthzError, messageOf } from '../errors.ts'

/** Everything appended in one turn: it is written together, or not at all. */
export class LogBatch {
  #outcome: PromiseWithResolvers<void> | undefined
  #state: 'pending' | 'written' | 'failed' = 'pending'
  #failure: AuthzError | undefined

  get state(): 'pending' | 'written' | 'failed' {
    return this.#state
  }

  /**
   * Resolves once the kernel has the records: from then on an allow may be acted on. Rejects with `BW_AUTHZ_LOG_FAILED`:
   * then it must not be.
   */
  written(): Promise<void> {
    if (this.#state === 'written') return Promise.resolve()
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#outcome ??= Promise.withResolvers()
    return this.#outcome.promise
  }

  succeed(): void {
    this.#state = 'written'
    this.#outcome?.resolve()
  }

  fail(cause: unknown): void {
    this.#state = 'failed'
    this.#failure = new AuthzError(
      'BW_AUTHZ_LOG_FAILED',
      `the decision log cannot be written: ${messageOf(cause)}`,
      {
        cause,
      },
    )
    this.#outcome?.reject(this.#failure)
  }
}
