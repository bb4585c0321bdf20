import { channel } from 'node:diagnostics_channel'
import type { AuthzRequest, Decision, EntityChanges } from '@breakwater/authz'
import type { DecisionEntry } from '@breakwater/authz/operate'
import type { GatewayConfig } from '@breakwater/contract'
import { refuse } from '../answer/refusal.ts'
import type { Refusal } from '../answer/refusal.ts'
import { errors } from '../errors.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { DecisionLogs } from './decision-logs.ts'
import type { DecisionPoint, DecisionRecorder, MadeDecision } from './decision-point.ts'
import { BundlePoint } from './bundle-point.ts'
import type { Finding, FoundRequest } from './finding.ts'
import { Claims } from './identity-fields.ts'
import { KnownCallers } from './known-callers.ts'
import { PolicyPoint } from './policy-point.ts'
import type { ConfiguredPoint } from './policy-point.ts'
import { RemotePoint } from './remote-point.ts'
import { Spelling } from './spelling.ts'
import { openTestIssuer } from './test-issuer-keys.ts'
import { TokenVerifier } from './token-verifier.ts'

/** Published when a decision carries the obligation `alarm`: message `{ alarm, route }`. */
export const authorizationAlarm: ReturnType<typeof channel> = channel(
  'breakwater:gateway:authorization-alarm',
)
/** Published when a decision could not be made: message `{ cause }`. */
export const authorizationFailed: ReturnType<typeof channel> = channel(
  'breakwater:gateway:authorization-failed',
)

/** Where changes of the entities go that decisions are made on. */
export interface LiveEntities {
  /** @throws what `EntityStore.apply` throws, with nothing changed; `BW_GATEWAY_AUTHORIZATION_FAILED` when no policies decide. */
  apply(changes: EntityChanges): void
}

/** With what decisions are made. Only tests and drills pass another decision point. */
export interface AuthorizationDeps {
  /** Milliseconds since 1970. */
  readonly epochMs: () => number
  /** Is told when the entities have changed. */
  readonly watch: { changed(): void }
  /** Logs that are open. */
  readonly logs: DecisionLogs
  readonly decisionPoint?: DecisionPoint | undefined
  readonly recorder?: DecisionRecorder | undefined
}

/** Authorization of one configuration: what all its routes share. */
export class Authorization {
  readonly isEnforced: boolean
  readonly callers: KnownCallers
  readonly claims: Claims
  /** Finds requests that may be meant for another route. */
  readonly spelling: Spelling
  readonly epochMs: () => number
  readonly watch: AuthorizationDeps['watch']
  /** Undefined where somebody else decides. */
  readonly policies: ConfiguredPoint | undefined
  /** An engine in another process that decides; undefined where none is configured. */
  readonly remote: RemotePoint | undefined
  readonly #point: DecisionPoint
  readonly log: DecisionRecorder | undefined
  readonly #logs: DecisionLogs
  /** Undefined where no log is kept, or another recorder was given. */
  readonly #logDir: string | undefined
  /** Settles when the records of this turn are written, and who waits for it. */
  #written: Promise<void> | undefined
  #waiting: ((refusal: Refusal | undefined) => void)[] = []

  /**
   * Takes over the policies of `previous`, with all that their entities have learnt, when their files say what they said.
   *
   * @throws `BW_GATEWAY_POLICIES_INVALID` when the policies cannot be read or do not know an action of a route;
   *   `BW_GATEWAY_START_FAILED` when the key of the test issuer can be neither read nor made, or the decision log cannot be
   *   opened; `BW_CONFIG_SECRET_MISSING` when the token for an engine elsewhere cannot be read.
   */
  private constructor(
    config: AuthorizationConfig,
    gateway: GatewayConfig,
    deps: AuthorizationDeps,
    previous: Authorization | undefined,
    live: EntityChanges | undefined,
  ) {
    const { identity } = config
    this.isEnforced = config.mode === 'enforce'
    this.epochMs = deps.epochMs
    this.watch = deps.watch
    this.claims = new Claims(identity.stripHeaders)
    this.spelling = new Spelling(gateway.routes)
    const { testIssuer, audience = gateway.name, workloadHeader, anonymousWorkload } = identity
    const verifier =
      testIssuer === undefined
        ? undefined
        : new TokenVerifier({ publicKey: publicKeyOf(testIssuer), issuer: testIssuer.name, audience })
    this.callers = new KnownCallers({ verifier, workloadHeader, anonymousWorkload }, identity)
    const isOwn = deps.decisionPoint === undefined
    const { opa } = config
    this.remote = isOwn && opa !== undefined ? RemotePoint.open(opa, previous?.remote) : undefined
    this.#logs = deps.logs
    this.#logDir = deps.recorder === undefined ? config.decisionLogDir : undefined
    this.log = this.#logDir === undefined ? deps.recorder : deps.logs.open(this.#logDir)
    try {
      // Last: a bundle that is taken into force is not taken back when something else fails.
      this.policies =
        isOwn && opa === undefined ? open(config, gateway, deps, previous?.policies, live) : undefined
    } catch (error) {
      if (this.#logDir !== undefined && this.log !== previous?.log) deps.logs.close(this.#logDir)
      throw error
    }
    this.#point = this.policies ?? deps.decisionPoint ?? NOBODY
  }

  /** Undefined when authorization is off. `live`: what became of the entities until now. Throws as the constructor. */
  static of(
    gateway: GatewayConfig,
    deps: AuthorizationDeps,
    previous: Authorization | undefined,
    live: EntityChanges | undefined,
  ): Authorization | undefined {
    const { authorization } = gateway
    return authorization.mode === 'off'
      ? undefined
      : new Authorization(authorization, gateway, deps, previous, live)
  }

  /** Live entities: a change, such as a role that is taken away, counts for the next decision. */
  get entities(): LiveEntities | undefined {
    const { policies, watch } = this
    if (policies === undefined) return undefined
    return {
      apply(changes) {
        policies.apply(changes)
        watch.changed()
      },
    }
  }

  /** Changes whenever what decides does, as far as that can be seen from here. */
  get state(): string {
    return `${this.version} ${this.policies?.store?.version ?? 0}`
  }

  /** Which policies decide. */
  get version(): string {
    return this.policies?.version ?? this.remote?.version ?? ''
  }

  /** Decides here and now. Where an engine elsewhere decides, this throws. */
  decide(request: AuthzRequest): Decision {
    return this.#point.decide(request)
  }

  /** What cannot be decided is denied, and heard of. */
  failed(cause: unknown): Refusal {
    if (authorizationFailed.hasSubscribers) authorizationFailed.publish({ cause })
    return refuse(errors.BW_GATEWAY_AUTHORIZATION_FAILED, 'no decision can be made at the moment')
  }

  alarm(alarm: string, route: string): void {
    if (authorizationAlarm.hasSubscribers) authorizationAlarm.publish({ alarm, route })
  }

  /** Writes the decision down. One that lets the request go on is waited for: see `FoundRequest.waitAtDoor`. */
  record(exchange: FoundRequest, finding: Finding, goesOn: boolean): void {
    if (this.log === undefined) return
    const written = this.log.append(this.#entry(exchange, finding, goesOn)).written()
    const isNew = written !== this.#written
    if (isNew) {
      this.#written = written
      this.#waiting = []
    }
    const waiting = this.#waiting
    if (goesOn) waiting.push(exchange.waitAtDoor())
    if (!isNew) return
    // All that is written together is told together.
    const settle = (refusal: Refusal | undefined): void => {
      if (this.#written === written) this.#written = undefined
      for (const one of waiting) one(refusal)
    }
    written.then(
      () => settle(undefined),
      () => settle(UNRECORDED),
    )
  }

  /** Writes down what was decided about an answer under way. Rejects when that cannot be done. */
  async recordAgain(exchange: FoundRequest, finding: Finding): Promise<void> {
    await this.log?.append(this.#entry(exchange, finding, false)).written()
  }

  #entry({ plan, identity }: FoundRequest, finding: Finding, goesOn: boolean): DecisionEntry {
    const { refusal, request, decision } = finding
    let shortcut: string | undefined
    if (refusal !== undefined && goesOn) shortcut = 'dark-mode'
    else if (refusal === undefined && decision === undefined) shortcut = `public-route ${plan.name}`
    return {
      timeMs: this.epochMs(),
      request,
      decision: this.#logged(refusal, decision),
      shortcut,
      traceId: identity.traceId,
    }
  }

  #logged(refusal: Refusal | undefined, decision: MadeDecision | undefined): DecisionEntry['decision'] {
    const isPolicys =
      refusal === undefined || (decision?.decision === 'deny' && decision.failure === undefined)
    // What the policies said is what is done, and complete.
    if (isPolicys && decision !== undefined && isWhole(decision)) return decision
    return {
      decision: refusal === undefined ? 'allow' : 'deny',
      reasons: decision?.reasons ?? [],
      errors: decision?.errors ?? [],
      policyVersion: decision?.policyVersion ?? this.version,
      obligations: decision?.obligations ?? [],
      engine: decision?.engine ?? 'compiled',
      ...(!isPolicys && { failure: { code: refusal.code } }),
    }
  }

  /** Lets go of what `next` has not taken over. */
  close(next: Authorization | undefined): void {
    if (this.policies !== next?.policies) this.policies?.close()
    if (this.#logDir !== undefined && next?.log !== undefined && this.log !== next.log)
      this.#logs.close(this.#logDir, next.log)
  }
}

/** Decision points of others are not bound by our types. */
function isWhole({ reasons, errors, obligations }: MadeDecision): boolean {
  return Array.isArray(reasons) && Array.isArray(errors) && Array.isArray(obligations)
}

const UNRECORDED = refuse(
  errors.BW_GATEWAY_DECISION_UNRECORDED,
  'the decision on this request could not be written down',
)

const NOBODY: DecisionPoint = {
  decide: () => {
    throw errors.BW_GATEWAY_AUTHORIZATION_FAILED('there is no decision point')
  },
}

type TestIssuerConfig = NonNullable<AuthorizationConfig['identity']['testIssuer']>

function publicKeyOf({ publicKey, keysDir = '' }: TestIssuerConfig): string {
  return publicKey ?? openTestIssuer(keysDir).publicKey
}

function open(
  config: AuthorizationConfig,
  gateway: GatewayConfig,
  { epochMs }: AuthorizationDeps,
  previous: ConfiguredPoint | undefined,
  live: EntityChanges | undefined,
): ConfiguredPoint {
  return config.bundleFile === undefined
    ? PolicyPoint.open(config, gateway, previous, live)
    : BundlePoint.open(config, gateway, epochMs, previous, live)
}
