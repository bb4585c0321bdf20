import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AuthzError } from '@breakwater/authz'
import type { Authorizer, AuthzRequest, Decision, EntityChanges, EntityStore } from '@breakwater/authz'
import { BundleFile, BundleHolder, Replayer } from '@breakwater/authz/operate'
import type { BundleEvent, BundleManifest } from '@breakwater/authz/operate'
import type { GatewayConfig } from '@breakwater/contract'
import { messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import { isSame } from '../same.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { ConfiguredPoint } from './policy-point.ts'
import { requireRoutes } from './required-routes.ts'

type Settings = Pick<AuthorizationConfig, 'bundleFile' | 'trustedKeys' | 'staleAfterMs' | 'replay'>

/** The signed policies that decide now. */
export interface BundleState extends BundleManifest {
  /** Whether the next process will know that no older one may be taken. Not where the folder of the bundle is read only. */
  readonly isVersionKept: boolean
}

/**
 * Signed policies as a decision point. One that is too old denies everything; one that is refused leaves the one before. It takes
 * none that is older than any it ever took, also not after a restart (signed-bundles).
 */
export class BundlePoint implements ConfiguredPoint {
  readonly #settings: Settings & { readonly name: string }
  readonly #file: BundleFile
  readonly #holder: BundleHolder
  readonly #epochMs: () => number
  #isVersionKept = false
  #replayed: Authorizer | undefined
  #replayer: Replayer | undefined

  private constructor(
    settings: Settings & { readonly name: string },
    epochMs: () => number,
    previous: ConfiguredPoint | undefined,
    live: EntityChanges | undefined,
  ) {
    const { bundleFile = '', trustedKeys, staleAfterMs, name } = settings
    this.#settings = settings
    this.#epochMs = epochMs
    this.#file = new BundleFile(bundleFile)
    this.#holder = new BundleHolder({
      name,
      trustedKeys: trustedKeys.map((x) =>
        createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
      ),
      maxAgeMs: staleAfterMs,
      live,
      minVersion: Math.max(this.#file.minVersion(name), versionOf(previous, name)),
    })
  }

  /**
   * Reads the bundle of the configuration, and takes over what became of the entities (`live`). After a reload with the same
   * settings, one that is refused changes nothing.
   *
   * @throws `BW_GATEWAY_POLICIES_INVALID` when there is none in force and this one is refused, or the one in force does not know
   *   an action of a route.
   */
  static open(
    { bundleFile, trustedKeys, staleAfterMs, replay }: Settings,
    gateway: GatewayConfig,
    epochMs: () => number,
    previous: ConfiguredPoint | undefined,
    live?: EntityChanges,
  ): BundlePoint {
    const settings = { bundleFile, trustedKeys, staleAfterMs, replay, name: gateway.name.toLowerCase() }
    try {
      const canStay = previous instanceof BundlePoint && isSame(previous.#settings, settings)
      const point = canStay ? previous : new BundlePoint(settings, epochMs, previous, live)
      point.#read(gateway)
      return point
    } catch (cause) {
      throw errors.BW_GATEWAY_POLICIES_INVALID(
        `the bundle ${bundleFile} cannot be used: ${messageOf(cause)}`,
        { cause },
      )
    }
  }

  get version(): string {
    return this.#holder.authorizer?.policySet.version ?? 'none'
  }

  get store(): EntityStore | undefined {
    return this.#holder.authorizer?.store
  }

  /** Undefined while there is none. */
  get state(): BundleState | undefined {
    const { manifest } = this.#holder
    if (manifest === undefined) return undefined
    const { name, version, issuedAtMs } = manifest
    return { name, version, issuedAtMs, isVersionKept: this.#isVersionKept }
  }

  /** Decisions that the official engine has repeated, and those that differed; undefined when none is asked for. */
  get replays(): Replayer['counts'] | undefined {
    return this.#replayer?.counts
  }

  decide(request: AuthzRequest): Decision {
    const decision = this.#holder.decide(request, this.#epochMs())
    this.#replayer?.consider(request, decision)
    return decision
  }

  apply(changes: EntityChanges): void {
    this.#holder.apply(changes)
  }

  get live(): EntityChanges {
    return this.#holder.live
  }

  /**
   * Takes a bundle that was sent here: checked like one from the file, put in its place, and in force at once. Refused, or when it
   * cannot be written, it changes nothing.
   */
  push(signed: Uint8Array, gateway: GatewayConfig): BundleEvent {
    const event = this.#holder.offer(signed, this.#epochMs(), (authorizer, manifest) => {
      requireKnown(authorizer, gateway)
      this.#isVersionKept = this.#file.put(signed, manifest)
    })
    this.#replayDecisions()
    return event
  }

  close(): void {
    void this.#replayer?.[Symbol.asyncDispose]()
  }

  #read(gateway: GatewayConfig): void {
    const bytes = readFileSync(this.#file.path)
    const event = this.#holder.offer(bytes, this.#epochMs(), (opened, release) => {
      this.#file.requireNewest(release)
      requireKnown(opened, gateway)
    })
    const { authorizer, manifest } = this.#holder
    if (authorizer === undefined || manifest === undefined) {
      if (event.kind === 'refused') throw event.error
      return
    }
    if (event.kind === 'refused') requireRoutes(authorizer.store, gateway)
    else this.#isVersionKept = this.#file.keep(manifest)
    this.#replayDecisions()
  }

  /** A new bundle brings a new authorizer: a sample of its decisions is repeated from now on. */
  #replayDecisions(): void {
    const { replay } = this.#settings
    const { authorizer } = this.#holder
    if (replay === 0 || authorizer === undefined || authorizer === this.#replayed) return
    void this.#replayer?.[Symbol.asyncDispose]()
    this.#replayed = authorizer
    this.#replayer = new Replayer(authorizer, { ratio: replay })
  }
}

/** The version of bundles of this name that is in force; 1 when there is none. */
function versionOf(point: ConfiguredPoint | undefined, name: string): number {
  const state = point instanceof BundlePoint ? point.state : undefined
  return state?.name === name ? state.version : 1
}

/** Before it is in force: a bundle that does not know what a route asks for would close that route. */
function requireKnown({ store }: Authorizer, gateway: GatewayConfig): void {
  try {
    requireRoutes(store, gateway)
  } catch (cause) {
    throw new AuthzError('BW_AUTHZ_BUNDLE_REFUSED', `the bundle is refused: ${messageOf(cause)}`, { cause })
  }
}
