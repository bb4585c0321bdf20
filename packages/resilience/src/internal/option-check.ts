import { errors } from '../errors.ts'

/** Collects what is wrong with one options object, so that all of it is said at once. */
export class OptionCheck {
  readonly #name: string
  readonly #problems: string[] = []

  constructor(name: string) {
    this.#name = name
  }

  that(holds: boolean, problem: string): this {
    if (!holds) this.#problems.push(problem)
    return this
  }

  /** `value` above 0. `Infinity` passes. */
  above0(key: string, value: number): this {
    return this.that(value > 0, `${key} must be above 0, got ${value}`)
  }

  /** `value` a finite number above `bound`. */
  above(key: string, value: number, bound: number): this {
    return this.that(
      value > bound && value < Infinity,
      `${key} must be above ${bound} and finite, got ${value}`,
    )
  }

  /** `value` 0 or more. */
  from0(key: string, value: number): this {
    return this.that(value >= 0, `${key} must be 0 or more, got ${value}`)
  }

  /** `value` a whole number, `least` or more. */
  whole(key: string, value: number, least: number): this {
    const isWhole = Number.isSafeInteger(value) && value >= least
    return this.that(isWhole, `${key} must be a whole number, ${least} or more, got ${value}`)
  }

  /** `value` in 0–1. */
  ratio(key: string, value: number): this {
    return this.that(value >= 0 && value <= 1, `${key} must be from 0 to 1, got ${value}`)
  }

  /** `value` above 0, up to 1. */
  share(key: string, value: number): this {
    return this.that(value > 0 && value <= 1, `${key} must be above 0 and at most 1, got ${value}`)
  }

  /** `value` 1, 2, 4, 8 … */
  powerOfTwo(key: string, value: number): this {
    const isPower = Number.isSafeInteger(value) && value > 0 && (value & (value - 1)) === 0
    return this.that(isPower, `${key} must be a power of two, got ${value}`)
  }

  /** Throws `BW_RESILIENCE_OPTIONS_INVALID` when anything was wrong. */
  done(): void {
    if (this.#problems.length === 0) return
    throw errors.BW_RESILIENCE_OPTIONS_INVALID(`${this.#name}: ${this.#problems.join('; ')}`, {
      details: { problems: [...this.#problems] },
    })
  }
}
