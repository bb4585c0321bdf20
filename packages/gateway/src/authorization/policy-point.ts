import type { Authorizer, AuthzRequest, Decision, EntityChanges, EntityStore } from '@breakwater/authz'
import { LiveEntities, openPolicies, readPolicyFolder, Replayer } from '@breakwater/authz/operate'
import type { PolicyContent } from '@breakwater/authz/operate'
import type { GatewayConfig } from '@breakwater/contract'
import { messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import { isSame } from '../same.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { DecisionPoint } from './decision-point.ts'
import { requireRoutes } from './required-routes.ts'

/** The decision point that a configuration names. */
export interface ConfiguredPoint extends DecisionPoint {
  /** Which policies are in force. */
  readonly version: string
  /** The entities that they know; undefined while none are in force. */
  readonly store: EntityStore | undefined
  /** Changes the entities that decisions are made on, for the next decision. */
  apply(changes: EntityChanges): void
  /** What became of all entities that were changed so, for the policies that come after these. */
  readonly live: EntityChanges
  close(): void
}

/** The compiled policies of a configuration as a decision point. A failing forbid denies. */
export class PolicyPoint implements ConfiguredPoint {
  readonly #content: PolicyContent
  readonly #authorizer: Authorizer
  readonly #replayer: Replayer | undefined
  readonly #replayRatio: number
  readonly #live = new LiveEntities()

  private constructor(content: PolicyContent, authorizer: Authorizer, replayRatio: number) {
    this.#content = content
    this.#authorizer = authorizer
    this.#replayRatio = replayRatio
    this.#replayer = replayRatio > 0 ? new Replayer(authorizer, { ratio: replayRatio }) : undefined
  }

  /**
   * Opens the policies that the configuration names; `previous` goes on when they are still the same. Otherwise what
   * became of the entities (`live`) is taken over: what was revoked stays revoked, whatever the files say.
   *
   * @throws `BW_GATEWAY_POLICIES_INVALID` naming what is wrong, the route that asks for an action nobody knows, or the changed
   *   entity that the new schema does not allow.
   */
  static open(
    config: AuthorizationConfig,
    gateway: GatewayConfig,
    previous: ConfiguredPoint | undefined,
    live?: EntityChanges,
  ): PolicyPoint {
    const { policiesDir = '' } = config
    try {
      const content = readPolicyFolder(policiesDir)
      const canStay =
        previous instanceof PolicyPoint &&
        previous.#replayRatio === config.replay &&
        isSame(previous.#content, content)
      const point = canStay
        ? previous
        : new PolicyPoint(content, openPolicies(content).authorizer, config.replay)
      requireRoutes(point.#authorizer.store, gateway)
      if (!canStay && live !== undefined) point.#takeOver(live)
      return point
    } catch (cause) {
      throw errors.BW_GATEWAY_POLICIES_INVALID(
        `the policies in ${policiesDir} cannot be used: ${messageOf(cause)}`,
        {
          cause,
        },
      )
    }
  }

  get version(): string {
    return this.#authorizer.policySet.version
  }

  get store(): EntityStore {
    return this.#authorizer.store
  }

  apply(changes: EntityChanges): void {
    this.#authorizer.store.apply(changes)
    this.#live.add(changes)
  }

  #takeOver(live: EntityChanges): void {
    const all = new LiveEntities()
    all.add(live)
    this.apply(all.over(this.store).changes())
  }

  get live(): EntityChanges {
    return this.#live.changes()
  }

  decide(request: AuthzRequest): Decision {
    return (this.#replayer ?? this.#authorizer).decide(request)
  }

  close(): void {
    void this.#replayer?.[Symbol.asyncDispose]()
  }
}
