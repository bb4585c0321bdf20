import { channel } from 'node:diagnostics_channel'
import type { KeyObject } from 'node:crypto'
import { refused, type Decision } from '../engine/decision.ts'
import type { Authorizer } from '../engine/authorizer.ts'
import type { AuthzRequest } from '../engine/request.ts'
import type { EntityChanges } from '../entities/entity-store.ts'
import { AuthzError } from '../errors.ts'
import { readBundle, refusedBundle, type Bundle, type BundleManifest } from './bundle.ts'
import { LiveEntities } from './live-entities.ts'
import { openPolicies, type OpenPolicies, type OpenPoliciesOptions } from './open-policies.ts'
import { verifyBundle } from './signature.ts'

/** Published for every offered bundle and when one gets too old: message is a `BundleEvent`. */
export const bundleEvents: ReturnType<typeof channel> = channel('breakwater:authz:bundle')

/** What happened to a bundle. */
export type BundleEvent =
  | { readonly kind: 'accepted' | 'refreshed'; readonly manifest: BundleManifest; readonly keyId: string }
  | { readonly kind: 'refused'; readonly error: AuthzError }
  | { readonly kind: 'stale'; readonly manifest: BundleManifest; readonly ageMs: number }

export interface BundleHolderOptions {
  /** Name of the bundles taken. */
  readonly name: string
  /** Public Ed25519 keys. Two while one is being replaced. */
  readonly trustedKeys: readonly KeyObject[]
  /** Age since signing beyond which every decision is deny. Default 24 hours. */
  readonly maxAgeMs?: number
  /**
   * The lowest version taken. Default 1. A holder that begins anew remembers none, and would take any signed bundle that is
   * young enough: keep it across restarts (`BundleFile`) and pass it here.
   */
  readonly minVersion?: number
  /** What became of entities before, under another holder: counts for the first bundle as for all. */
  readonly live?: EntityChanges | undefined
  /** How far the signer's clock may be ahead. Default one minute. */
  readonly maxSkewMs?: number
  /** How policies are opened; strict unless told otherwise. */
  readonly policies?: Omit<OpenPoliciesOptions, 'version'>
  /** Told what is published on `breakwater:authz:bundle` too. */
  readonly onEvent?: (event: BundleEvent) => void
}

/** Looks at a bundle that is about to come into force. */
export type ConfirmBundle = (authorizer: Authorizer, manifest: BundleManifest) => void

interface Held {
  readonly bundle: Bundle
  readonly opened: OpenPolicies
  /** Text of the content, to know a refresh from a change. */
  readonly text: string
}

/**
 * The policies in force, as bundles. One that is not whole, not signed by a trusted key, not newer, or that does not pass strict
 * validation is refused with a reason, and the one before stays. Without a bundle, or with one too old, every decision is deny.
 */
export class BundleHolder {
  readonly #options: Required<Pick<BundleHolderOptions, 'maxAgeMs' | 'maxSkewMs'>> & BundleHolderOptions
  #live = new LiveEntities()
  #held: Held | undefined
  #staleTold = false

  /** @throws `BW_AUTHZ_OPTIONS_INVALID`. */
  constructor(options: BundleHolderOptions) {
    const { maxAgeMs = 24 * 3_600_000, maxSkewMs = 60_000, trustedKeys } = options
    if (trustedKeys.length === 0 || !(maxAgeMs > 0) || !(maxSkewMs >= 0)) {
      throw new AuthzError(
        'BW_AUTHZ_OPTIONS_INVALID',
        `bundles: ${trustedKeys.length} trusted keys, maxAgeMs ${maxAgeMs}, maxSkewMs ${maxSkewMs}: at least one key, an age above 0`,
      )
    }
    this.#options = { ...options, maxAgeMs, maxSkewMs }
    if (options.live !== undefined) this.#live.add(options.live)
  }

  /** What is in force; undefined before the first bundle. */
  get manifest(): BundleManifest | undefined {
    return this.#held?.bundle
  }

  /** The authorizer in force, for `plan` and `explain`. It changes with every bundle and knows nothing of age. */
  get authorizer(): Authorizer | undefined {
    return this.#held?.opened.authorizer
  }

  /**
   * Takes a signed bundle into force, or says why not. Never throws: a bad bundle is ordinary. `confirm` has the last word on one
   * that is otherwise good, before it is in force: what it throws refuses it.
   */
  offer(signed: Uint8Array, nowMs: number, confirm?: ConfirmBundle): BundleEvent {
    let event: BundleEvent
    try {
      event = this.#take(signed, nowMs, confirm)
    } catch (cause) {
      const error = cause instanceof AuthzError ? cause : refusedBundle('it cannot be opened', cause)
      event = { kind: 'refused', error }
    }
    this.#tell(event)
    return event
  }

  /**
   * Entities that change faster than bundles: memberships, revocations. They are checked against the schema in force, and
   * kept from bundle to bundle; a bundle whose schema they do not fit is refused.
   *
   * @throws `BW_AUTHZ_BUNDLE_MISSING` before the first bundle; what `EntityStore.apply` throws, with nothing changed.
   */
  apply(changes: EntityChanges): void {
    const authorizer = this.#held?.opened.authorizer
    if (authorizer === undefined) throw missing()
    authorizer.store.apply(changes)
    this.#live.add(changes)
  }

  /** What became of all entities that were changed so. */
  get live(): EntityChanges {
    return this.#live.changes()
  }

  /** Decides with the bundle in force. Never throws. */
  decide(request: AuthzRequest, nowMs: number): Decision {
    const held = this.#held
    if (held === undefined) return refused(missing(), 'none', 'compiled')
    const { bundle, opened } = held
    const ageMs = nowMs - bundle.issuedAtMs
    if (ageMs <= this.#options.maxAgeMs) return opened.authorizer.decide(request)
    const { version } = opened.authorizer.policySet
    if (!this.#staleTold) {
      this.#staleTold = true
      this.#tell({ kind: 'stale', manifest: bundle, ageMs })
    }
    const message = `bundle ${version} is ${ageMs} ms old, at most ${this.#options.maxAgeMs}`
    return refused(new AuthzError('BW_AUTHZ_BUNDLE_STALE', message), version, 'compiled')
  }

  #take(signed: Uint8Array, nowMs: number, confirm: ConfirmBundle | undefined): BundleEvent {
    const { trustedKeys, name, maxAgeMs, maxSkewMs } = this.#options
    const { bytes, keyId } = verifyBundle(signed, trustedKeys)
    const bundle = readBundle(bytes)
    if (bundle.name !== name) throw refusedBundle(`it is named ${bundle.name}, expected ${name}`)
    if (bundle.issuedAtMs > nowMs + maxSkewMs)
      throw refusedBundle(`it was signed ${bundle.issuedAtMs - nowMs} ms in the future`)
    if (nowMs - bundle.issuedAtMs > maxAgeMs)
      throw refusedBundle(`it is ${nowMs - bundle.issuedAtMs} ms old, at most ${maxAgeMs}`)
    const text = JSON.stringify(bundle.content)
    const isRefresh = this.#requireNewer(bundle, text)
    const { policies = {} } = this.#options
    const version = `${bundle.name}@${bundle.version}`
    const opened =
      isRefresh && this.#held !== undefined
        ? this.#held.opened
        : openPolicies(bundle.content, { ...policies, version })
    const live = isRefresh ? this.#live : this.#live.over(opened.authorizer.store)
    if (!isRefresh) opened.authorizer.store.apply(live.changes())
    confirm?.(opened.authorizer, bundle)
    this.#live = live
    this.#held = { bundle, opened, text }
    this.#staleTold = false
    return { kind: isRefresh ? 'refreshed' : 'accepted', manifest: bundle, keyId }
  }

  /** Whether it is the bundle in force, signed anew. */
  #requireNewer(bundle: Bundle, text: string): boolean {
    const held = this.#held
    const { minVersion = 1 } = this.#options
    if (bundle.version < minVersion) throw refusedBundle(`version ${bundle.version}, at least ${minVersion}`)
    if (held === undefined || bundle.version > held.bundle.version) return false
    const what = `version ${bundle.version} after ${held.bundle.version}`
    if (bundle.version < held.bundle.version) throw refusedBundle(`${what} would go back`)
    if (text !== held.text) throw refusedBundle(`${what} with other content`)
    if (bundle.issuedAtMs < held.bundle.issuedAtMs) throw refusedBundle(`${what}, signed earlier`)
    return true
  }

  #tell(event: BundleEvent): void {
    if (bundleEvents.hasSubscribers) bundleEvents.publish(event)
    this.#options.onEvent?.(event)
  }
}

function missing(): AuthzError {
  return new AuthzError('BW_AUTHZ_BUNDLE_MISSING', 'no bundle has been accepted yet')
}
