import type { Checked, Decider, Guard, Who } from './guard.ts'
import type { ListGuard, ListPlanner, VisibleRows } from './list-guard.ts'
import { isRefused, refusedWith, type Refused } from './refused.ts'

/** A request as far as routing and guards look at it. */
export interface GuardedRequest {
  readonly method: string
  /** One spelling: without query, escapes or dot segments. */
  readonly path: string
  /** Undefined: nobody is known. Only public routes answer then. */
  readonly who: Who | undefined
  readonly body?: unknown
}

/** What a handler knows beside the checked object: no id to look up another one by. */
export interface HandlerCall {
  readonly who: Who
  readonly body: unknown
}

interface Entry<Answer> {
  readonly method: string
  readonly pieces: readonly string[]
  readonly run: (request: GuardedRequest, id: string | undefined) => Promise<Answer | Refused>
}

/**
 * Routes whose handlers cannot run unchecked: each gets the object its guard has loaded and decided on, or the rows it may see. There
 * is no way to register one without a guard but to call it public.
 */
export class GuardedRouter<Answer> {
  readonly #decider: Decider & ListPlanner
  readonly #entries: Entry<Answer>[] = []

  constructor(decider: Decider & ListPlanner) {
    this.#decider = decider
  }

  /** `path` has one `{id}`: that of the object. */
  object<Loaded extends object>(
    method: string,
    path: string,
    check: Guard<Loaded>,
    handler: (object: Checked<Loaded>, call: HandlerCall) => Answer | Promise<Answer>,
  ): this {
    return this.#add(method, path, async ({ who, body }, id) => {
      if (who === undefined) return refusedWith('BW_AUTHZ_UNAUTHENTICATED')
      if (id === undefined) return refusedWith('BW_AUTHZ_OBJECT_HIDDEN')
      const object = await check.check(this.#decider, { who, id, body })
      return isRefused(object) ? object : handler(object, { who, body })
    })
  }

  list(
    method: string,
    path: string,
    check: ListGuard,
    handler: (rows: VisibleRows, call: HandlerCall) => Answer | Promise<Answer>,
  ): this {
    return this.#add(method, path, async ({ who, body }) => {
      if (who === undefined) return refusedWith('BW_AUTHZ_UNAUTHENTICATED')
      const rows = check.check(this.#decider, who)
      return isRefused(rows) ? rows : handler(rows, { who, body })
    })
  }

  /** Everybody may. */
  public(method: string, path: string, handler: (body: unknown) => Answer | Promise<Answer>): this {
    return this.#add(method, path, async ({ body }) => handler(body))
  }

  /** Answers a request; what is not registered is not reachable. HEAD runs what GET runs. */
  async handle(request: GuardedRequest): Promise<Answer | Refused> {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const pieces = request.path.split('/')
    let isKnown = false
    for (const entry of this.#entries) {
      const id = fit(entry.pieces, pieces)
      if (id === false) continue
      if (entry.method === method) return entry.run(request, id)
      isKnown = true
    }
    return isKnown ? refusedWith('BW_AUTHZ_METHOD_UNDECLARED') : refusedWith('BW_AUTHZ_OBJECT_HIDDEN')
  }

  #add(method: string, path: string, run: Entry<Answer>['run']): this {
    this.#entries.push({ method, pieces: path.split('/'), run })
    return this
  }
}

/** The id in the path, undefined when the path has none, false when it does not fit. */
function fit(pattern: readonly string[], pieces: readonly string[]): string | undefined | false {
  if (pattern.length !== pieces.length) return false
  let id: string | undefined
  for (const [index, piece] of pattern.entries()) {
    const actual = pieces[index] ?? ''
    if (piece === '{id}' && actual !== '') id = actual
    else if (piece !== actual) return false
  }
  return id
}
