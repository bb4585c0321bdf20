/** Something that will run later, and can be called off. */
export interface Timer {
  /** Calls the task off. Does nothing once the task has run. */
  cancel(): void
}

/** Where time comes from. Production uses `systemClock`; tests and drills pass a `VirtualClock`. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; never steps back, whatever NTP does. */
  now(): number
  /** Runs `task` once, `delayMs` (0 or more) from now or later. */
  schedule(delayMs: number, task: () => void): Timer
}

/** The machine's monotonic clock. `now` costs about 60 ns: hot paths read it once a turn and pass it on. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, task) {
    const handle = setTimeout(task, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
}
