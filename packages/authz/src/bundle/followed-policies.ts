import type { Authorizer } from '../engine/authorizer.ts'
import { refused, type Decision } from '../engine/decision.ts'
import type { AuthzRequest } from '../engine/request.ts'
import { AuthzError, messageOf } from '../errors.ts'
import type { Decider } from '../guard/guard.ts'
import type { ListPlanner } from '../guard/list-guard.ts'
import { sourceOf, type FollowedFiles } from './followed-files.ts'

/** What became of the files that are followed. */
export type FollowedEvent =
  | { readonly kind: 'accepted'; readonly version: string }
  /** They cannot be used as they are now; the policies before stay in force. */
  | { readonly kind: 'refused'; readonly error: AuthzError }
  /** The policies in force are too old: every decision is deny. */
  | { readonly kind: 'stale'; readonly error: AuthzError }

export interface FollowOptions {
  /**
   * Age of policies beyond which every decision is deny: since signing for a bundle, since they were last found good for a folder.
   * Default 24 hours.
   */
  readonly maxAgeMs?: number
  /** Told once of each change, where it is found. */
  readonly onEvent?: (event: FollowedEvent) => void
}

/** What decides about one call. */
export type PoliciesInForce = Decider & ListPlanner

/**
 * Policies that follow their files: whoever asks what is in force gets what the files say now. A change that cannot be used leaves the
 * policies before in force and is told; beyond an age everything is denied. Entities are those of the files.
 *
 * Replace files by renaming: one that is read while it is being written may for that moment say less than it will.
 */
export class FollowedPolicies {
  readonly #source: ReturnType<typeof sourceOf>
  readonly #maxAgeMs: number
  readonly #tell: NonNullable<FollowOptions['onEvent']>
  #authorizer: Authorizer
  #stamp: string | undefined
  #goodAtMs: number
  #error: AuthzError | undefined
  #isStale = false

  /**
   * Reads the files for the first time.
   *
   * @throws What is wrong with them: `BW_AUTHZ_POLICY_INVALID`, `BW_AUTHZ_BUNDLE_REFUSED` and what else opening policies throws;
   *   `BW_AUTHZ_OPTIONS_INVALID`.
   */
  constructor(files: FollowedFiles, options: FollowOptions, nowMs: number) {
    const { maxAgeMs = 24 * 3_600_000, onEvent = () => undefined } = options
    if (!(maxAgeMs > 0)) {
      throw new AuthzError('BW_AUTHZ_OPTIONS_INVALID', `maxAgeMs is ${maxAgeMs}, expected an age above 0`)
    }
    this.#source = sourceOf(files, maxAgeMs)
    this.#maxAgeMs = maxAgeMs
    this.#tell = onEvent
    this.#stamp = this.#source.stamp(nowMs)
    this.#authorizer = this.#source.open(nowMs)
    this.#goodAtMs = nowMs
  }

  /** Which policies were in force when somebody last asked. */
  get version(): string {
    return this.#authorizer.policySet.version
  }

  /**
   * What decides now, for all decisions of one call. Looks at the files first: some 20 µs, and the time to compile them when
   * they have changed. Never throws. `nowMs`: wall clock.
   */
  at(nowMs: number): PoliciesInForce {
    const stamp = this.#source.stamp(nowMs)
    if (stamp === undefined || stamp !== this.#stamp) this.#read(nowMs)
    this.#stamp = stamp
    const { signedAtMs } = this.#source
    if (this.#error === undefined) this.#goodAtMs = nowMs
    const ageMs = nowMs - (signedAtMs ?? this.#goodAtMs)
    if (ageMs <= this.#maxAgeMs) {
      this.#isStale = false
      return this.#authorizer
    }
    const error = new AuthzError(
      'BW_AUTHZ_BUNDLE_STALE',
      `the policies ${this.version} are ${ageMs} ms old, at most ${this.#maxAgeMs}`,
      { cause: this.#error },
    )
    if (!this.#isStale) this.#tell({ kind: 'stale', error })
    this.#isStale = true
    return new NobodyMay(error, this.version)
  }

  #read(nowMs: number): void {
    const { version } = this
    try {
      this.#authorizer = this.#source.open(nowMs)
      if (this.#error !== undefined || this.version !== version)
        this.#tell({ kind: 'accepted', version: this.version })
      this.#error = undefined
    } catch (cause) {
      const error =
        cause instanceof AuthzError
          ? cause
          : new AuthzError('BW_AUTHZ_POLICY_INVALID', messageOf(cause), { cause })
      if (error.message !== this.#error?.message) this.#tell({ kind: 'refused', error })
      this.#error = error
    }
  }
}

/** Policies that are too old to be believed. */
class NobodyMay implements PoliciesInForce {
  readonly #error: AuthzError
  readonly #version: string

  constructor(error: AuthzError, version: string) {
    this.#error = error
    this.#version = version
  }

  decide(_request: AuthzRequest): Decision {
    return refused(this.#error, this.#version, 'compiled')
  }

  plan(): never {
    throw this.#error
  }
}
