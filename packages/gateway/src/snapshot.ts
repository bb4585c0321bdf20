import type { EntityChanges } from '@breakwater/authz'
import type { Random } from '@breakwater/core'
import type { GatewayConfig, RouteConfig } from '@breakwater/contract'
import type { Driver } from '@breakwater/http'
import { Authorization } from './authorization/authorization.ts'
import type { AuthorizationDeps } from './authorization/authorization.ts'
import { RouteGuard } from './authorization/route-guard.ts'
import { compileRoute } from './plan/route-plan.ts'
import type { RoutePlan } from './plan/route-plan.ts'
import { Router } from './routing/router.ts'
import { isSame } from './same.ts'
import type { GatewayMeters } from './telemetry/meters.ts'
import { Upstream } from './upstream/upstream.ts'

export interface SnapshotDeps {
  readonly driver: Driver
  readonly random: Random
  readonly seed: number
  readonly meters: GatewayMeters
  readonly authorization: AuthorizationDeps
}

/**
 * A configuration, compiled: immutable, replaced as a whole. Requests keep the one that they began with. What did not
 * change is taken over from the snapshot before, with all that it learnt: breakers, limits, connections, stored answers.
 */
export class Snapshot {
  readonly config: GatewayConfig
  readonly router: Router<RoutePlan>
  readonly plans: readonly RoutePlan[]
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Undefined when it is off. */
  readonly authorization: Authorization | undefined
  /** As `live` was when policies of this gateway decided last. */
  readonly #live: EntityChanges | undefined

  constructor(config: GatewayConfig, deps: SnapshotDeps, previous?: Snapshot) {
    this.config = config
    // First, because it may fail: then nothing has been opened.
    this.#live = previous?.live
    const authorization = Authorization.of(config, deps.authorization, previous?.authorization, this.#live)
    this.authorization = authorization
    const isShedSame = previous !== undefined && isSame(previous.config.shed, config.shed)
    this.upstreams = new Map(
      config.upstreams.map((upstream) => {
        const before = previous?.upstreams.get(upstream.name)
        const canStay = isShedSame && before !== undefined && isSame(before.config, upstream)
        return [upstream.name, canStay ? before : new Upstream(upstream, config.shed, deps)]
      }),
    )
    const upstreamOf = (name: string): Upstream => {
      const upstream = this.upstreams.get(name)
      if (upstream === undefined) throw new RangeError(`no upstream is named ${name}`)
      return upstream
    }
    const planDeps = {
      ...deps,
      upstreamOf,
      metersOf: (route: string) => deps.meters.route(route),
      guardOf: (route: RouteConfig) =>
        authorization === undefined ? undefined : new RouteGuard(authorization, route),
    }
    this.plans = config.routes.map((route) =>
      compileRoute(
        route,
        planDeps,
        previous?.plans.find(({ name }) => name === route.name),
      ),
    )
    this.router = new Router(this.plans.map((plan) => ({ match: plan.config.match, plan })))
  }

  /** What became of all entities that were changed while the gateway ran, also while nobody decides by them. */
  get live(): EntityChanges | undefined {
    return this.authorization?.policies?.live ?? this.#live
  }

  /** Closes the upstreams that `next` no longer uses. Requests under way on them are finished. */
  retire(next: Snapshot | undefined): void {
    this.authorization?.close(next?.authorization)
    for (const upstream of this.upstreams.values()) {
      if (next?.upstreams.get(upstream.name) !== upstream) upstream.close()
    }
  }
}
