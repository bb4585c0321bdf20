import type { Clock, Timer } from '@breakwater/core'
import type { Call, CallOptions, OwnedCall, Priority, Subscription, TraceContext } from '../call.ts'
import { errors } from '../errors.ts'

/** What a whole tree of calls shares. */
interface Shared {
  degraded: string[]
  attempted: string[]
}

type Listener = (reason: unknown) => void

const NO_MARKS: readonly unknown[] = []
const NOTHING: Subscription = { cancel() {} }
/** A controller lives exactly as long as somebody holds its signal. */
const controllerOf = new WeakMap<AbortSignal, AbortController>()

/** The one implementation of `Call`. Links upwards only while somebody below listens. */
export class CallNode implements OwnedCall {
  readonly clock: Clock
  readonly deadlineMs: number
  readonly attempt: number
  readonly priority: Priority
  readonly tenant: string | undefined
  readonly principal: string | undefined
  readonly workload: string | undefined
  readonly trace: TraceContext | undefined
  /** What layers above want those below to know: budgets that have counted this call, dependencies to avoid. */
  readonly #marks: readonly unknown[]
  readonly #ownDeadlineMs: number
  readonly #parent: Call | undefined
  readonly #callerSignal: AbortSignal | undefined
  readonly #shared: Shared
  #listeners: Set<Listener> | undefined
  #followers: Set<WeakRef<AbortSignal>> | undefined
  #followersLimit = 16
  #signal: AbortSignal | undefined
  #timer: Timer | undefined
  #link: Subscription | undefined
  #aborted = false
  #disposed = false
  #reason: unknown

  constructor(
    clock: Clock,
    ownDeadlineMs: number,
    from: CallOptions | Call,
    parent: Call | undefined,
    attempt: number,
    mark?: unknown,
  ) {
    this.clock = clock
    this.#ownDeadlineMs = ownDeadlineMs
    this.deadlineMs = parent === undefined ? ownDeadlineMs : Math.min(ownDeadlineMs, parent.deadlineMs)
    this.attempt = attempt
    this.priority = from.priority ?? 2
    this.tenant = from.tenant
    this.principal = from.principal
    this.workload = from.workload
    this.trace = from.trace
    const inherited = parent instanceof CallNode ? parent.#marks : NO_MARKS
    this.#marks = mark === undefined ? inherited : [...inherited, mark]
    this.#parent = parent
    this.#callerSignal = parent === undefined ? from.signal : undefined
    this.#shared = parent instanceof CallNode ? parent.#shared : { degraded: [], attempted: [] }
  }

  hasMark(mark: unknown): boolean {
    return this.#marks.includes(mark)
  }

  get aborted(): boolean {
    if (this.#aborted) return true
    if (this.#parent?.aborted === true || this.#callerSignal?.aborted === true) {
      this.abort(this.#parent?.aborted === true ? this.#parent.abortReason : this.#callerSignal?.reason)
    }
    return this.#aborted
  }

  get abortReason(): unknown {
    return this.aborted ? this.#reason : undefined
  }

  get expired(): boolean {
    const limit = this.#ownDeadlineMs
    if (limit === Infinity || limit > this.deadlineMs) return false
    return this.clock.now() >= limit
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    const controller = new AbortController()
    this.#signal = controller.signal
    controllerOf.set(controller.signal, controller)
    if (this.aborted) controller.abort(this.#reason)
    else if (this.#disposed) this.#handSignalsOver()
    else this.#listen()
    return controller.signal
  }

  onAbort(listener: Listener): Subscription {
    if (this.aborted) {
      listener(this.#reason)
      return NOTHING
    }
    // A private wrapper, so that one function may subscribe twice.
    const entry: Listener = (reason) => listener(reason)
    const listeners = (this.#listeners ??= new Set())
    listeners.add(entry)
    this.#listen()
    return {
      cancel: () => {
        listeners.delete(entry)
        if (this.#listeners === undefined || listeners.size > 0) return
        if (this.#signal === undefined && this.#followers === undefined) this.#unlink()
      },
    }
  }

  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason =
      reason ?? errors.BW_RESILIENCE_CALL_ABORTED('the caller went away before the answer was ready')
    this.#unlisten()
    const listeners = this.#listeners
    this.#listeners = undefined
    if (this.#signal !== undefined) controllerOf.get(this.#signal)?.abort(this.#reason)
    if (listeners !== undefined) for (const listener of listeners) tell(listener, this.#reason)
    const followers = this.#followers
    this.#followers = undefined
    if (followers !== undefined) for (const follower of followers) abortSignal(follower.deref(), this.#reason)
  }

  get degraded(): readonly string[] {
    return this.#shared.degraded
  }

  markDegraded(part: string): void {
    if (!this.#shared.degraded.includes(part)) this.#shared.degraded.push(part)
  }

  get attempted(): readonly string[] {
    return this.#shared.attempted
  }

  noteAttempt(endpoint: string): void {
    this.#shared.attempted.push(endpoint)
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#unlisten()
    this.#listeners = undefined
    if (!this.#aborted) this.#handSignalsOver()
  }

  /** Arms what makes this call abort: its own timer, and a link to the call or signal above. Once. */
  #listen(): void {
    if (this.#disposed) return
    if (
      this.#timer === undefined &&
      this.#ownDeadlineMs !== Infinity &&
      this.#ownDeadlineMs <= this.deadlineMs
    ) {
      const leftMs = this.#ownDeadlineMs - this.clock.now()
      // Whole milliseconds: timers of one length share a list in Node.
      this.#timer = this.clock.schedule(Math.max(0, Math.ceil(leftMs)), () => this.abort(deadlineExceeded()))
    }
    if (this.#link !== undefined) return
    const up = (reason: unknown): void => this.abort(reason)
    if (this.#parent !== undefined) this.#link = this.#parent.onAbort(up)
    else if (this.#callerSignal !== undefined) this.#link = listenTo(this.#callerSignal, up)
  }

  #unlisten(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#unlink()
  }

  /** The timer stays until the call ends: the next listener would only arm it again. */
  #unlink(): void {
    this.#link?.cancel()
    this.#link = undefined
  }

  /** A response body may outlive the layer that made this call: its signal goes on following the call above, weakly. */
  #handSignalsOver(): void {
    const followers = this.#followers
    this.#followers = undefined
    if (!(this.#parent instanceof CallNode)) return
    if (this.#signal !== undefined) this.#parent.#follow(this.#signal)
    for (const follower of followers ?? []) {
      const signal = follower.deref()
      if (signal !== undefined) this.#parent.#follow(signal)
    }
  }

  #follow(signal: AbortSignal): void {
    if (this.aborted) return abortSignal(signal, this.#reason)
    if (this.#disposed) {
      if (this.#parent instanceof CallNode) this.#parent.#follow(signal)
      return
    }
    const followers = (this.#followers ??= new Set())
    if (followers.size >= this.#followersLimit) {
      for (const follower of followers) if (follower.deref() === undefined) followers.delete(follower)
      this.#followersLimit = Math.max(16, followers.size * 2)
    }
    followers.add(new WeakRef(signal))
    this.#listen()
  }
}

/** One listener that throws must not keep the abort from the others. */
function tell(listener: Listener, reason: unknown): void {
  try {
    listener(reason)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function abortSignal(signal: AbortSignal | undefined, reason: unknown): void {
  if (signal !== undefined) controllerOf.get(signal)?.abort(reason)
}

function deadlineExceeded(): Error {
  return errors.BW_RESILIENCE_DEADLINE_EXCEEDED('the time for this call has passed')
}

function listenTo(signal: AbortSignal, up: Listener): Subscription {
  const onAbort = (): void => up(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  return { cancel: () => signal.removeEventListener('abort', onAbort) }
}

/** Whether a layer above has set `mark` on this call. */
export function hasMark(call: Call, mark: unknown): boolean {
  return call instanceof CallNode && call.hasMark(mark)
}

/** A call under `call`, numbered as try `attempt`, that carries `mark` down. */
export function markedCall(call: Call, attempt: number, mark: unknown): OwnedCall {
  return new CallNode(call.clock, Infinity, call, call, attempt, mark)
}

/** The mark of a dependency that must not be called again on behalf of this call. */
export function avoiding(dependency: string): string {
  return `avoid ${dependency}`
}
