import { OptionCheck } from '../internal/option-check.ts'

/** One look at the process. Leave out what cannot be read; it then puts no pressure on. */
export interface OverloadReadings {
  /** A high percentile of how late the event loop ran its turns since the last look. Milliseconds. */
  readonly loopDelayMs?: number
  /** Share of time the event loop was busy since the last look. 0–1. */
  readonly loopUtilisation?: number
  /** Heap used, of the heap limit. 0–1. */
  readonly heapRatio?: number
  /** File descriptors in use, of the limit. 0–1. */
  readonly descriptorRatio?: number
}

/** At what reading each step is taken. Must not fall from one step to the next. */
export interface OverloadSteps {
  /** Answers close their connections, so that idle ones do not pile up. */
  readonly noKeepAliveAt: number
  /** The least important requests are turned away; more of them the closer the reading comes to the next step. */
  readonly shedAt: number
  /** No new connections. Above 1 for a ratio: never. */
  readonly stopAcceptAt: number
}

export interface OverloadManagerOptions {
  /** Default 100, 200, 1000 ms. */
  readonly loopDelayMs?: OverloadSteps
  /** Default 0.95, 0.98 and never: a busy loop alone is no reason to refuse connections. */
  readonly loopUtilisation?: OverloadSteps
  /** Default 0.85, 0.9, 0.95. */
  readonly heapRatio?: OverloadSteps
  /** Default 0.8, 0.85, 0.95. */
  readonly descriptorRatio?: OverloadSteps
  /** A step is undone only when the reading is below this share of its threshold. Above 0, up to 1. Default 0.9. */
  readonly releaseRatio?: number
  /** … and has been for so long. Milliseconds, 0 or more. Default 2000. */
  readonly holdMs?: number
  /** Number of priorities. Shedding never reaches priority 0. Whole number, 1 or more. Default 4. */
  readonly priorities?: number
  /** Decide and count, but take no step. Default false. */
  readonly dark?: boolean
}

export type OverloadResource = keyof OverloadReadings

const NAMES = ['loopDelayMs', 'loopUtilisation', 'heapRatio', 'descriptorRatio'] as const
const DEFAULTS: Readonly<Record<OverloadResource, OverloadSteps>> = {
  loopDelayMs: { noKeepAliveAt: 100, shedAt: 200, stopAcceptAt: 1000 },
  loopUtilisation: { noKeepAliveAt: 0.95, shedAt: 0.98, stopAcceptAt: 2 },
  heapRatio: { noKeepAliveAt: 0.85, shedAt: 0.9, stopAcceptAt: 0.95 },
  descriptorRatio: { noKeepAliveAt: 0.8, shedAt: 0.85, stopAcceptAt: 0.95 },
}

/** 0 nothing, 1 no keep-alive, 2 shed, 3 stop accepting. Each includes those before it. */
export type OverloadLevel = 0 | 1 | 2 | 3

/**
 * Turns readings about the process into graduated action, in the manner of Envoy's overload manager. Steps are taken
 * at once and undone late: only when every reading has stayed below the release share of its threshold for `holdMs`,
 * one step at a time. Reads nothing by itself; call `report` about once a second.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class OverloadManager {
  readonly dark: boolean
  readonly #steps: readonly OverloadSteps[]
  readonly #releaseRatio: number
  readonly #holdMs: number
  readonly #priorities: number
  #level: OverloadLevel = 0
  /** How far the worst reading is from the shedding step to the next. 0–1. */
  #depth = 0
  #calmSinceMs = Infinity
  #cause: OverloadResource | undefined
  /** Reports at which a step was in force, or in dark mode would have been. */
  overloadedReports = 0

  constructor(options: OverloadManagerOptions = {}) {
    const { releaseRatio = 0.9, holdMs = 2000, priorities = 4 } = options
    this.#steps = NAMES.map((name) => options[name] ?? DEFAULTS[name])
    const check = new OptionCheck('overload manager')
      .share('releaseRatio', releaseRatio)
      .from0('holdMs', holdMs)
      .whole('priorities', priorities, 1)
    for (const [index, { noKeepAliveAt, shedAt, stopAcceptAt }] of this.#steps.entries())
      check.that(
        noKeepAliveAt > 0 && shedAt >= noKeepAliveAt && stopAcceptAt >= shedAt,
        `${NAMES[index]}: the steps must be above 0 and must not fall, got ${noKeepAliveAt}, ${shedAt}, ${stopAcceptAt}`,
      )
    check.done()
    this.#releaseRatio = releaseRatio
    this.#holdMs = holdMs
    this.#priorities = priorities
    this.dark = options.dark ?? false
  }

  /** The step decided on, whether in force or (in dark mode) not. */
  get level(): OverloadLevel {
    return this.#level
  }

  /** The reading that led to it. */
  get cause(): OverloadResource | undefined {
    return this.#cause
  }

  /** Whether connections may stay open after an answer. */
  get keepAlive(): boolean {
    return this.dark || this.#level < 1
  }

  /** Whether new connections are taken. */
  get accepting(): boolean {
    return this.dark || this.#level < 3
  }

  /** Whether a request of this priority is served. 0, the most important, always is. */
  serves(priority: number): boolean {
    return this.dark || this.#level < 2 || priority <= this.leastServed
  }

  /** The least important priority still served. */
  get leastServed(): number {
    const last = this.#priorities - 1
    if (this.#level < 2) return last
    return Math.max(0, last - 1 - Math.floor(this.#depth * last))
  }

  /** Takes in one look at the process. */
  report(readings: OverloadReadings, nowMs: number): void {
    let entered: OverloadLevel = 0
    let held: OverloadLevel = 0
    let depth = 0
    let cause: OverloadResource | undefined
    for (let index = 0; index < NAMES.length; index++) {
      const name = NAMES[index] as OverloadResource
      const value = readings[name] ?? 0
      const steps = this.#steps[index] as OverloadSteps
      const level = levelOf(value, steps)
      if (level > entered || cause === undefined) cause = name
      if (level > entered) entered = level
      held = Math.max(held, levelOf(value / this.#releaseRatio, steps)) as OverloadLevel
      depth = Math.max(depth, depthOf(value, steps))
    }
    this.#depth = depth
    if (entered >= this.#level) {
      if (entered > this.#level) this.#cause = cause
      this.#level = entered
      this.#calmSinceMs = Infinity
    } else this.#release(held, nowMs)
    if (this.#level === 0) this.#cause = undefined
    else this.overloadedReports++
  }

  #release(held: OverloadLevel, nowMs: number): void {
    if (held >= this.#level) {
      this.#calmSinceMs = Infinity
      return
    }
    if (this.#calmSinceMs === Infinity) this.#calmSinceMs = nowMs
    if (nowMs - this.#calmSinceMs < this.#holdMs) return
    this.#level = (this.#level - 1) as OverloadLevel
    this.#calmSinceMs = nowMs
  }
}

function levelOf(value: number, steps: OverloadSteps): OverloadLevel {
  if (value >= steps.stopAcceptAt) return 3
  if (value >= steps.shedAt) return 2
  return value >= steps.noKeepAliveAt ? 1 : 0
}

function depthOf(value: number, steps: OverloadSteps): number {
  const room = steps.stopAcceptAt - steps.shedAt
  if (value < steps.shedAt) return 0
  return room > 0 ? Math.min(1, (value - steps.shedAt) / room) : 1
}
