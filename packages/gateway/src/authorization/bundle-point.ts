import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Authorizer, AuthzRequest, Decision, EntityChanges, EntityStore } from '@breakwater/authz'
import { BundleHolder, Replayer } from '@breakwater/authz/operate'
import type { GatewayConfig } from '@breakwater/contract'
import { errors } from '../errors.ts'
import { isSame } from '../same.ts'
import type { AuthorizationConfig } from './authorization.ts'
import { requireActions } from './policy-point.ts'
import type { ConfiguredPoint } from './policy-point.ts'

type Settings = Pick<AuthorizationConfig, 'bundleFile' | 'trustedKeys' | 'staleAfterMs' | 'replay'>

/** Signed policies as a decision point. One that is too old denies everything; one that is refused leaves the one before. */
export class BundlePoint implements ConfiguredPoint {
  readonly #settings: Settings
  readonly #holder: BundleHolder
  readonly #epochMs: () => number
  #replayed: Authorizer | undefined
  #replayer: Replayer | undefined

  private constructor(settings: Settings, name: string, epochMs: () => number) {
    this.#settings = settings
    this.#epochMs = epochMs
    this.#holder = new BundleHolder({
      name,
      trustedKeys: settings.trustedKeys.map((x) =>
        createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
      ),
      maxAgeMs: settings.staleAfterMs,
    })
  }

  /**
   * Reads the bundle of the configuration. After a reload with the same settings, one that is refused changes nothing.
   *
   * @throws `BW_GATEWAY_POLICIES_INVALID` when there is none in force and this one is refused.
   */
  static open(
    { bundleFile, trustedKeys, staleAfterMs, replay }: Settings,
    gateway: GatewayConfig,
    epochMs: () => number,
    previous: ConfiguredPoint | undefined,
  ): BundlePoint {
    const settings = { bundleFile, trustedKeys, staleAfterMs, replay }
    const canStay = previous instanceof BundlePoint && isSame(previous.#settings, settings)
    const point = canStay ? previous : new BundlePoint(settings, gateway.name.toLowerCase(), epochMs)
    point.#read(gateway)
    return point
  }

  get version(): string {
    return this.#holder.authorizer?.policySet.version ?? 'none'
  }

  get store(): EntityStore | undefined {
    return this.#holder.authorizer?.store
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

  close(): void {
    void this.#replayer?.[Symbol.asyncDispose]()
  }

  #read(gateway: GatewayConfig): void {
    const { bundleFile = '' } = this.#settings
    try {
      const event = this.#holder.offer(readFileSync(bundleFile), this.#epochMs())
      if (event.kind === 'refused' && this.#holder.manifest === undefined) throw event.error
      const { authorizer } = this.#holder
      if (authorizer === undefined) return
      requireActions(authorizer.store, gateway)
      this.#replayDecisionsOf(authorizer)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw errors.BW_GATEWAY_POLICIES_INVALID(`the bundle ${bundleFile} cannot be used: ${why}`, { cause })
    }
  }

  /** A new bundle brings a new authorizer: a sample of its decisions is repeated from now on. */
  #replayDecisionsOf(authorizer: Authorizer): void {
    const { replay } = this.#settings
    if (replay === 0 || authorizer === this.#replayed) return
    void this.#replayer?.[Symbol.asyncDispose]()
    this.#replayed = authorizer
    this.#replayer = new Replayer(authorizer, { ratio: replay })
  }
}
