/** Holds a request until the decision that lets it through is written down: nothing is acted on without a record. */
export class RecordWait {
  /** Told when the record is safe after the request had to stop for it. */
  readonly #resume: () => unknown
  #state: 'pending' | 'safe' | 'lost' = 'pending'
  #isHeld = false

  constructor(resume: () => unknown) {
    this.#resume = resume
  }

  /** Whether the request stands still. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  get isLost(): boolean {
    return this.#state === 'lost'
  }

  /** The request has come this far: true when it must stop here and is resumed later. */
  hold(): boolean {
    this.#isHeld = this.#state === 'pending'
    return this.#isHeld
  }

  settle(isSafe: boolean): void {
    if (this.#state !== 'pending') return
    this.#state = isSafe ? 'safe' : 'lost'
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#resume()
  }
}
