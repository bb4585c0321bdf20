import { channel } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { AuthzError } from '../errors.ts'
import type { Authorizer } from './authorizer.ts'
import type { Decision } from './decision.ts'
import type { OfficialVerdict } from './official.ts'
import { officialRequest } from './official-request.ts'
import type { CompiledPolicySet } from './policy-set.ts'
import { PreparedRequest } from './prepared-request.ts'
import type { ReplayAnswer } from './replay-worker.ts'
import { resolveRequest, type AuthzRequest } from './request.ts'

/** Published when the official engine disagrees: message is a `ReplayMismatch`. */
export const replayMismatch: ReturnType<typeof channel> = channel('breakwater:authz:replay-mismatch')

/** A decision of ours that the official engine does not share. */
export interface ReplayMismatch {
  readonly ours: Decision
  readonly official: OfficialVerdict
}

export interface ReplayerOptions {
  /** Share of decisions replayed, 0 to 1. Default 0.001. */
  readonly ratio?: number
  /** Replays waiting at most; further samples are left out. Default 100. */
  readonly maxPending?: number
  /** Replays begun in a second at most; further samples are left out. One costs as much as thousands of decisions. Default 10. */
  readonly maxPerSecond?: number
  /** Told about each mismatch, beside the channel `breakwater:authz:replay-mismatch`. */
  readonly onMismatch?: (mismatch: ReplayMismatch) => void
}

export interface ReplayerDeps {
  readonly random?: () => number
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number
  /** Asks the official engine about a request in its JSON format, text with exact integers. Default: a worker thread. */
  readonly ask?: (set: CompiledPolicySet, text: string) => Promise<OfficialVerdict>
}

/**
 * Checks a sample of decisions against the official engine, off the main thread. A mismatch raises an alarm, and from then
 * on the official engine decides for that policy set.
 */
export class Replayer implements AsyncDisposable {
  readonly #authorizer: Authorizer
  readonly #options: Required<Pick<ReplayerOptions, 'ratio' | 'maxPending' | 'maxPerSecond'>> &
    ReplayerOptions
  readonly #random: () => number
  readonly #now: () => number
  readonly #ask: NonNullable<ReplayerDeps['ask']>
  readonly #workers = new Map<CompiledPolicySet, OfficialWorker>()
  readonly #pending = new Set<Promise<void>>()
  /** When the share of this second is used up: later than now. */
  #dueMs = -Infinity
  /** Decisions compared, mismatches found, replays that could not be made. */
  readonly counts: { compared: number; mismatches: number; failures: number } = {
    compared: 0,
    mismatches: 0,
    failures: 0,
  }

  constructor(authorizer: Authorizer, options: ReplayerOptions = {}, deps: ReplayerDeps = {}) {
    const { ratio = 0.001, maxPending = 100, maxPerSecond = 10 } = options
    if (!(ratio >= 0 && ratio <= 1) || !(maxPending >= 1) || !(maxPerSecond > 0)) {
      throw new AuthzError(
        'BW_AUTHZ_OPTIONS_INVALID',
        `replayer: ratio ${ratio} must be 0 to 1, maxPending ${maxPending} at least 1, maxPerSecond ${maxPerSecond} above 0`,
      )
    }
    this.#authorizer = authorizer
    this.#options = { ...options, ratio, maxPending, maxPerSecond }
    this.#random = deps.random ?? Math.random
    this.#now = deps.now ?? ((): number => performance.now())
    this.#ask = deps.ask ?? ((set, text) => this.#workerFor(set).ask(text))
  }

  /** Decides like the authorizer; a sample goes to the official engine as well, which this call does not wait for. */
  decide(request: AuthzRequest | PreparedRequest): Decision {
    const decision = this.#authorizer.decide(request)
    this.consider(request, decision)
    return decision
  }

  /** As `decide`, for a decision that somebody else had the authorizer make: a sample is asked again. */
  consider(request: AuthzRequest | PreparedRequest, decision: Decision): void {
    const sampled = this.#options.ratio > 0 && this.#random() < this.#options.ratio
    if (sampled && decision.engine === 'compiled' && decision.failure === undefined)
      this.#replay(request, decision)
  }

  /** Resolves once every replay begun has its answer. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()))
  }

  #replay(request: AuthzRequest | PreparedRequest, ours: Decision): void {
    if (this.#pending.size >= this.#options.maxPending || !this.#isInTime()) return
    const { store, policySet } = this.#authorizer
    const resolved = request instanceof PreparedRequest ? request.resolve() : resolveRequest(request, store)
    // Read now: the store may change before the answer comes.
    const text = JSON.stringify(officialRequest(resolved, policySet.named, store.schema))
    const replay = this.#ask(policySet, text).then(
      (official) => this.#compare(policySet, ours, official),
      () => void (this.counts.failures += 1),
    )
    this.#pending.add(replay)
    void replay.finally(() => this.#pending.delete(replay))
  }

  /** As many as a second may hold at once, and no more in the long run. */
  #isInTime(): boolean {
    const nowMs = this.#now()
    const dueMs = Math.max(this.#dueMs, nowMs - 1000)
    if (dueMs > nowMs) return false
    this.#dueMs = dueMs + 1000 / this.#options.maxPerSecond
    return true
  }

  #compare(set: CompiledPolicySet, ours: Decision, official: OfficialVerdict): void {
    this.counts.compared += 1
    if (same(ours, official)) return
    this.counts.mismatches += 1
    if (this.#authorizer.policySet === set) this.#authorizer.distrust('a replayed decision differed')
    replayMismatch.publish({ ours, official })
    this.#options.onMismatch?.({ ours, official })
  }

  #workerFor(set: CompiledPolicySet): OfficialWorker {
    let worker = this.#workers.get(set)
    if (worker === undefined) {
      for (const [old, oldWorker] of this.#workers) {
        this.#workers.delete(old)
        void oldWorker.stop()
      }
      this.#workers.set(set, (worker = new OfficialWorker(set, this.#authorizer)))
    }
    return worker
  }
}

/** With `forbidErrors: 'deny'` our deny may be stricter than Cedar's answer; that is no mismatch. */
function same(ours: Decision, official: OfficialVerdict): boolean {
  const ids = (errors: readonly { readonly policyId: string }[]): string =>
    sorted(errors.map((error) => error.policyId))
  if (ids(ours.errors) !== ids(official.errors)) return false
  if (ours.decision === 'deny' && ours.reasons.length === 0 && ours.errors.some((e) => e.effect === 'forbid'))
    return true
  return ours.decision === official.decision && sorted(ours.reasons) === sorted(official.reasons)
}

const sorted = (ids: readonly string[]): string => JSON.stringify([...ids].sort())

/** The official engine in a thread of its own, holding one policy set. */
class OfficialWorker {
  readonly #worker: Worker
  readonly #waiting = new Map<number, PromiseWithResolvers<OfficialVerdict>>()
  #next = 0

  constructor(set: CompiledPolicySet, authorizer: Authorizer) {
    // The worker is the compiled file in a build and the source file in development.
    const file = import.meta.url.endsWith('.ts') ? './replay-worker.ts' : './replay-worker.js'
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: { policies: set.parsed.official, schema: authorizer.store.schema?.source },
    })
    this.#worker.unref()
    this.#worker.on('message', ({ id, verdict, failure }: ReplayAnswer) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (verdict === undefined)
        waiting?.reject(new AuthzError('BW_AUTHZ_ENGINE_FAILED', failure ?? 'no verdict'))
      else waiting?.resolve(verdict)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () =>
      this.#fail(new AuthzError('BW_AUTHZ_ENGINE_FAILED', 'the replay worker ended')),
    )
  }

  ask(text: string): Promise<OfficialVerdict> {
    const id = (this.#next += 1)
    const answer = Promise.withResolvers<OfficialVerdict>()
    this.#waiting.set(id, answer)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    this.#worker.postMessage({ id, text })
    return answer.promise
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}
