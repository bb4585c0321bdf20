import { messageOf } from '@breakwater/core'
import type { LabKind, Labs } from '../definitions.ts'
import { errors } from '../errors.ts'
import type { Lab } from './lab.ts'
import { openLocalLab } from './local-lab.ts'
import { openSimLab } from './sim-lab.ts'
import { openTargetLab } from './target-lab.ts'

export interface OpenLabOptions {
  readonly seed: number
  readonly budgetMs: number
  readonly interrupted?: AbortSignal
  readonly target?: URL
}

/** A laboratory for one run, with all that its drill has left in it. */
export interface OpenedLab {
  readonly lab: Labs[LabKind]
  /** Rejects when the budget is spent, the user interrupts, or an error escapes every promise chain of the drill. */
  readonly givenUp: Promise<never>
  /** Disposes `world` with the lab; at once when the lab has been closed already. */
  own(world: unknown): void
  /** @throws `BW_DRILL_DISPOSAL_FAILED` naming everything that could not be cleared away. */
  close(timeoutMs: number): Promise<void>
}

type Dispose = () => Promise<void> | void

export function openLab(kind: LabKind, options: OpenLabOptions): OpenedLab {
  const { seed, budgetMs, interrupted } = options
  const abort = new AbortController()
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  givenUp.catch(() => {}) // Nobody may be waiting any more.
  const disposals: Dispose[] = []
  let isClosed = false

  const giveUp = (error: unknown): void => {
    reject(error)
    abort.abort(error)
  }
  const startedAtMs = performance.now()
  const overBudget = (): Error =>
    errors.BW_DRILL_BUDGET_EXCEEDED(`the run was not over after ${budgetMs} ms`, { details: { budgetMs } })
  const timer = setTimeout(() => giveUp(overBudget()), budgetMs)
  const onInterrupt = (): void => giveUp(interrupted?.reason)
  interrupted?.addEventListener('abort', onInterrupt, { once: true })
  process.on('unhandledRejection', giveUp)
  process.on('uncaughtException', giveUp)

  const defer: Lab['defer'] = (dispose) => {
    // What arrives after the end of a run that was given up is cleared away at once.
    if (isClosed) void settled(dispose)
    else disposals.push(dispose)
  }

  return {
    givenUp,
    lab: openKind(kind, {
      seed,
      defer,
      signal: abort.signal,
      target: options.target,
      checkBudget: () => {
        if (isClosed) return // What is cleared away may still schedule.
        abort.signal.throwIfAborted()
        if (performance.now() - startedAtMs > budgetMs) throw overBudget()
      },
    }),
    own(world) {
      const dispose = disposalOf(world)
      if (dispose !== undefined) defer(dispose)
    },
    async close(timeoutMs) {
      isClosed = true
      clearTimeout(timer)
      interrupted?.removeEventListener('abort', onInterrupt)
      if (!abort.signal.aborted) abort.abort(new Error('the run is over'))
      const failures = await disposeAll(disposals, timeoutMs)
      // Rejections are reported a turn after they happen.
      await new Promise((resolve) => setImmediate(resolve))
      process.off('unhandledRejection', giveUp)
      process.off('uncaughtException', giveUp)
      if (failures.length > 0) throw errors.BW_DRILL_DISPOSAL_FAILED(`clearing away: ${failures.join('; ')}`)
    },
  }
}

interface KindOptions {
  readonly seed: number
  readonly signal: AbortSignal
  readonly defer: Lab['defer']
  readonly target: URL | undefined
  readonly checkBudget: () => void
}

function openKind(kind: LabKind, { target, checkBudget, ...common }: KindOptions): Labs[LabKind] {
  switch (kind) {
    case 'sim':
      return openSimLab({ ...common, checkBudget })
    case 'local':
      return openLocalLab(common)
    case 'target':
      if (target === undefined)
        throw errors.BW_DRILL_OPTIONS_INVALID('this drill needs a target, none was named')
      return openTargetLab({ ...common, url: target })
  }
}

function disposalOf(world: unknown): Dispose | undefined {
  if (typeof world !== 'object' || world === null) return undefined
  if (isAsyncDisposable(world)) return async () => world[Symbol.asyncDispose]()
  if (isDisposable(world)) return () => world[Symbol.dispose]()
  return undefined
}

function isAsyncDisposable(world: object): world is AsyncDisposable {
  return Symbol.asyncDispose in world
}

function isDisposable(world: object): world is Disposable {
  return Symbol.dispose in world
}

/** Last in, first out; one that fails or hangs does not keep the others from their turn. */
async function disposeAll(disposals: Dispose[], timeoutMs: number): Promise<string[]> {
  const untilMs = performance.now() + timeoutMs
  const failures: string[] = []
  for (let dispose = disposals.pop(); dispose !== undefined; dispose = disposals.pop()) {
    const failure = await within(Math.max(1, untilMs - performance.now()), settled(dispose), timeoutMs)
    if (failure !== undefined) failures.push(failure)
  }
  return failures
}

async function settled(dispose: Dispose): Promise<string | undefined> {
  try {
    await dispose()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

async function within(
  waitMs: number,
  work: Promise<string | undefined>,
  limitMs: number,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => resolve(`not done within ${limitMs} ms`), waitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
