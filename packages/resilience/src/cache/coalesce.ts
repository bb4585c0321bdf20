import type { Call } from '../call.ts'
import { createCall } from '../call.ts'
import type { OwnedCall } from '../call.ts'
import type { Layer, Service } from '../service.ts'
import { isBreakwaterError } from '@breakwater/core'
import type { Coalescer, FlightMember } from './coalescer.ts'

export interface CoalesceOptions<Request, Response> {
  /** Shared by every call to one upstream. */
  readonly coalescer: Coalescer<Response>
  /** What makes two requests the same, with everything the answer depends on; `undefined`: never share this one. */
  readonly key: (request: Request, call: Call) => string | undefined
  /** Whether a failure tells something about the upstream. Default: unless its `fault` is the caller's. */
  readonly concernsAll?: (error: unknown) => boolean
}

const notTheCallers = (error: unknown): boolean => !isBreakwaterError(error) || error.spec.fault !== 'caller'

/** What one layer keeps: the running call of each flight, and what the one just settled was served without. */
interface Board {
  readonly works: Map<string, OwnedCall>
  degraded: readonly string[]
}

/** One flight's work: a call of its own, so that it ends with its last member and not with its first. */
class Work<Request, Response> implements FlightMember<Response> {
  readonly promise: Promise<Response>
  readonly #options: CoalesceOptions<Request, Response>
  readonly #inner: Service<Request, Response>
  readonly #key: string
  readonly #request: Request
  readonly #call: Call
  readonly #board: Board
  readonly #resolve: (value: Response) => void
  readonly #reject: (error: unknown) => void

  constructor(
    options: CoalesceOptions<Request, Response>,
    inner: Service<Request, Response>,
    board: Board,
    key: string,
    request: Request,
    call: Call,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#options = options
    this.#inner = inner
    this.#board = board
    this.#key = key
    this.#request = request
    this.#call = call
  }

  onValue(value: Response): void {
    for (const part of this.#board.degraded) this.#call.markDegraded(part)
    this.#resolve(value)
  }

  onError(error: unknown): void {
    this.#reject(error)
  }

  onLead(): void {
    void this.#run()
  }

  abandon(reason: unknown): void {
    const left = this.#options.coalescer.leave(this.#key, this)
    if (left === 'unknown') return
    if (left === 'last') this.#board.works.get(this.#key)?.abort(reason)
    this.#reject(reason)
  }

  async #run(): Promise<void> {
    const { coalescer, concernsAll = notTheCallers } = this.#options
    const key = this.#key
    using own = detached(this.#call)
    this.#board.works.set(key, own)
    try {
      const value = await this.#inner(this.#request, own)
      if (this.#board.works.get(key) !== own) return
      this.#board.works.delete(key)
      // Every member is told before `succeed` returns.
      this.#board.degraded = own.degraded
      coalescer.succeed(key, value)
    } catch (error) {
      // Called off because everyone had gone; a new flight of the same key may already be under way.
      if (this.#board.works.get(key) !== own) return
      this.#board.works.delete(key)
      if (!own.aborted || own.expired) coalescer.fail(key, this, error, !own.expired && concernsAll(error))
    }
  }
}

/** The leader's call without the leader's abort: it keeps the time limit, identity and trace. */
function detached(call: Call): OwnedCall {
  const { deadlineMs, priority, tenant, principal, workload, trace, clock } = call
  return createCall(
    {
      deadlineMs,
      priority,
      ...(tenant === undefined ? {} : { tenant }),
      ...(principal === undefined ? {} : { principal }),
      ...(workload === undefined ? {} : { workload }),
      ...(trace === undefined ? {} : { trace }),
    },
    { clock },
  )
}

/**
 * Lets callers who ask for the same thing at the same time share one call. Followers keep their own deadline and may
 * go away at any time; the shared call is aborted when the last of them has gone. A leader whose own time runs out
 * hands over to a follower.
 *
 * @throws Whatever the inner service throws; the caller's own abort reason when it aborts first.
 */
export function coalesce<Request, Response>(
  options: CoalesceOptions<Request, Response>,
): Layer<Request, Response> {
  const { coalescer, key } = options
  const board: Board = { works: new Map(), degraded: [] }
  return (inner) => async (request, call) => {
    const name = key(request, call)
    if (name === undefined) return inner(request, call)
    const member = new Work(options, inner, board, name, request, call)
    const role = coalescer.join(name, member)
    if (role === 'alone') return inner(request, call)
    if (role === 'leads') member.onLead()
    const subscription = call.onAbort((reason) => member.abandon(reason))
    return member.promise.finally(() => subscription.cancel())
  }
}
