import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AuthzRequest, Decision } from '@breakwater/authz'
import type { Decider, ListPlanner, Who } from '@breakwater/authz/guard'
import { DecisionLog, FollowedPolicies } from '@breakwater/authz/operate'
import type { FollowedFiles, LogBatch, PoliciesInForce } from '@breakwater/authz/operate'
import { makeFolder } from '@breakwater/core'
import type { Caller } from '@breakwater/gateway/identity'
import { errors } from './errors.ts'
import type { ServiceEnvironment } from './service.ts'

/** The policies of the shop, those that the gateway asks as well. */
const POLICIES = fileURLToPath(new URL('../../policies', import.meta.url))

/** What a log keeps of a context, beside the process that asked: nothing that pays, and nobody's name but the owner's id. */
const KEPT = ['tenant', 'amountCents', 'owner', 'environment']

/**
 * The policies of a service that guards its objects, as their files are when a call comes in, and the record of what they decided.
 */
export class Decisions {
  readonly #policies: FollowedPolicies
  readonly #log: DecisionLog | undefined

  /** Takes some 200 ms. Throws what is wrong with the policies or the log. */
  constructor({ env, name }: Pick<ServiceEnvironment, 'env' | 'name'>) {
    this.#policies = new FollowedPolicies(
      filesOf(env),
      {
        onEvent(event) {
          const what =
            event.kind === 'accepted' ? event.version : `${event.error.code}: ${event.error.message}`
          console.error(`${name}: policies ${event.kind}: ${what}`)
        },
      },
      Date.now(),
    )
    const { SHOP_DECISIONS_DIR: folder } = env
    if (folder === undefined) return
    const own = join(folder, name)
    makeFolder(own)
    this.#log = new DecisionLog({ folder: own, contextKeys: KEPT })
  }

  /** Decides for one call: whatever it may do it does once that is written down. */
  forCall(traceId: string): CallDecisions {
    return new CallDecisions(this.#policies.at(Date.now()), this.#log, traceId)
  }

  close(): void {
    this.#log?.close()
  }
}

/** A signed bundle where one is named (`SHOP_BUNDLE`, `SHOP_BUNDLE_KEYS`), otherwise a folder. */
function filesOf(env: NodeJS.ProcessEnv): FollowedFiles {
  const { SHOP_BUNDLE: bundle, SHOP_BUNDLE_KEYS: keys = '', SHOP_POLICIES: folder = POLICIES } = env
  if (bundle === undefined) return { folder }
  const trustedKeys = keys
    .split(',')
    .map((x) => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: x.trim() }, format: 'jwk' }))
  return { bundle, name: 'shop', trustedKeys }
}

/** The decisions of one call. */
export class CallDecisions implements Decider, ListPlanner {
  readonly #policies: PoliciesInForce
  readonly #log: DecisionLog | undefined
  readonly #traceId: string
  #batch: LogBatch | undefined

  constructor(policies: PoliciesInForce, log: DecisionLog | undefined, traceId: string) {
    this.#policies = policies
    this.#log = log
    this.#traceId = traceId
  }

  decide(request: AuthzRequest): Decision {
    const decision = this.#policies.decide(request)
    this.#batch = this.#log?.append({ timeMs: Date.now(), request, decision, traceId: this.#traceId })
    return decision
  }

  /** What may be seen is decided row by row after this. */
  plan(...question: Parameters<ListPlanner['plan']>): ReturnType<ListPlanner['plan']> {
    return this.#policies.plan(...question)
  }

  /** Resolves once all of them are on record; rejects when they cannot be: then nothing may be done. */
  async written(): Promise<void> {
    await this.#batch?.written()
  }
}

const entity = (type: string, id: string) => ({ __entity: { type, id } })

/** A verified caller as the policies know it: the user if there is one, through a process, in a tenant, now. */
export function whoOf({ user, workload, tenant }: Caller): Who {
  return {
    principal: user === undefined ? { type: 'Workload', id: workload } : { type: 'User', id: user },
    context: {
      workload: entity('Workload', workload),
      ...(tenant !== undefined && { tenant: entity('Tenant', tenant) }),
      now: { __extn: { fn: 'datetime', arg: new Date().toISOString() } },
    },
  }
}

/** The tenant of a `Who` made by `whoOf`, for queries: they stay within it whatever the policies say. */
export function tenantOf({ context }: Who): string {
  const { tenant } = context as { readonly tenant?: ReturnType<typeof entity> }
  if (tenant === undefined) throw errors.SHOP_TENANT_MISSING('the token names no tenant')
  return tenant.__entity.id
}

/** What objects have in common for the policies: whose they are. */
export function belongsTo(tenantId: string, userId: string) {
  return { tenant: entity('Tenant', tenantId), owner: entity('User', userId) }
}
