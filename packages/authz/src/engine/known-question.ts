import type { EntityStore } from '../entities/entity-store.ts'
import { KnownUid } from '../entities/known-uid.ts'
import { readText } from '../entities/read-value.ts'
import { EntityUid } from '../entities/uid.ts'
import { KnownContext } from './known-context.ts'
import type { AuthzRequest, ResolvedRequest } from './request.ts'

/** A question as it was read and checked but for the id of the resource. */
interface Question {
  readonly principal: KnownUid
  readonly action: KnownUid
  readonly resourceType: string
  readonly store: EntityStore
  readonly added: number
  readonly resolved: ResolvedRequest
}

const MAX_KEPT = 4

/** What one subject was asked about lately: kept with its context. */
export class KnownQuestions {
  readonly #kept: Question[] = []
  #next = 0

  /**
   * The request, when one that differs in the id of the resource alone was read before and nothing has changed what its names
   * stand for. Undefined: it must be read.
   *
   * @throws `BW_AUTHZ_DATA_INVALID` for an id that is no text.
   */
  static resolve(request: AuthzRequest, store: EntityStore): ResolvedRequest | undefined {
    const { principal, action, resource, context } = request
    if (!(context instanceof KnownContext) || !(resource instanceof KnownUid)) return undefined
    const questions = KnownContext.questions(context)
    if (questions === undefined) return undefined
    for (const kept of questions.#kept) {
      if (kept.action !== action || kept.principal !== principal || kept.resourceType !== resource.type)
        continue
      if (kept.store !== store || kept.added !== store.uids.added) continue
      const { resolved } = kept
      return {
        principal: resolved.principal,
        action: resolved.action,
        resource: resourceOf(store, resource),
        context: resolved.context,
        overlay: undefined,
      }
    }
    return undefined
  }

  /** Keeps what was read, where another resource of that type needs no other check. */
  static keep(
    { principal, action, resource, context }: AuthzRequest,
    resolved: ResolvedRequest,
    store: EntityStore,
  ): void {
    if (!(context instanceof KnownContext) || !(resource instanceof KnownUid)) return
    if (!(principal instanceof KnownUid) || !(action instanceof KnownUid)) return
    const { schema } = store
    const type = schema?.entityTypes.get(resource.type)
    // Of an enumerated type each id is checked.
    if (schema !== undefined && (type === undefined || type.ids !== undefined)) return
    const questions = KnownContext.questions(context) ?? new KnownQuestions()
    KnownContext.remember(context, questions)
    questions.#kept[questions.#next] = {
      principal,
      action,
      resourceType: resource.type,
      store,
      added: store.uids.added,
      resolved,
    }
    questions.#next = (questions.#next + 1) % MAX_KEPT
  }
}

function resourceOf({ uids }: EntityStore, { type, id }: KnownUid): EntityUid {
  return uids.find(type, id) ?? new EntityUid(type, readText(id, 'resource'))
}
