import process from 'node:process'

/** Where a command speaks. Tests pass their own. */
export interface Terminal {
  /** The result: standard output. */
  write(text: string): void
  /** Progress and complaints: standard error. */
  note(text: string): void
  /** Whether standard output shows colours: a terminal, and `NO_COLOR` is not set (no-color.org). */
  readonly isColoured: boolean
  /** What the process ends with when nothing else is left to do. */
  setExitCode(code: number): void
  /** Aborts at Ctrl-C or SIGTERM. Listening begins with the first call. */
  interrupted(): AbortSignal
}

/** How much may wait for whoever reads standard error. What comes on top of it is lost. */
const MAX_WAITING_BYTES = 1_048_576

/** The terminal of this process. */
export const processTerminal: Terminal = {
  write: (text) => void process.stdout.write(text),
  note(text) {
    // Nobody reads: what a chatty service says must not fill the memory.
    if (process.stderr.writableLength <= MAX_WAITING_BYTES) process.stderr.write(text)
  },
  get isColoured() {
    return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
  },
  setExitCode: (code) => (process.exitCode = code),
  interrupted() {
    const user = new AbortController()
    // Once: a second Ctrl-C ends the process at once, and its children with it.
    for (const name of ['SIGINT', 'SIGTERM'] as const)
      process.once(name, () => user.abort(new Error(`interrupted by ${name}`)))
    return user.signal
  },
}
