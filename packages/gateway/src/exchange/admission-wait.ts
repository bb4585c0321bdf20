import type { Refusal } from '../answer/refusal.ts'

/**
 * Holds a request at the door until somebody has told whether it may go on: who decides elsewhere, or who writes the decision
 * down. Told once; what comes later, or after the request is over, changes nothing.
 */
export class AdmissionWait {
  /** Told when the answer is there after the request had to stop for it. */
  readonly #resume: () => unknown
  /** Told when the request is over before there was an answer. */
  readonly #onAbandoned: (() => void) | undefined
  #isPending = true
  #isHeld = false
  #refusal: Refusal | undefined

  constructor(resume: () => unknown, onAbandoned?: () => void) {
    this.#resume = resume
    this.#onAbandoned = onAbandoned
  }

  /** Whether the request stands still. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Why the request may not go on. Meaningful once it is not held. */
  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  /** The request has come this far: true when it must stop here and is resumed later. */
  hold(): boolean {
    this.#isHeld = this.#isPending
    return this.#isHeld
  }

  settle(refusal: Refusal | undefined): void {
    if (!this.#isPending) return
    this.#isPending = false
    this.#refusal = refusal
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#resume()
  }

  abandon(): void {
    if (!this.#isPending) return
    this.#isPending = false
    this.#isHeld = false
    this.#onAbandoned?.()
  }
}
