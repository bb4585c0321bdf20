import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'

import { LineWaiter } from '@breakwater/core'

import { errors } from '../errors.ts'

export interface SpawnOptions {
  /** What reports and errors call it: `catalog`. */
  readonly name: string
  /** The program. Default: this Node, which then also ends by itself should the drill's process be killed. */
  readonly command?: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A real process that a drill has started. Ended with the run. */
export interface LabProcess {
  readonly name: string
  readonly pid: number
  /** The last lines of its standard output and error, at most 200. */
  readonly lines: readonly string[]
  readonly exited: Promise<ProcessExit>
  /**
   * The first line, past or to come, that matches.
   *
   * @throws `BW_DRILL_PROCESS_FAILED` when the process ends or `timeoutMs` (default 15 000) passes first.
   */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>
  /** Sends a signal. Does nothing once the process has ended, so that a reused pid is never hit. */
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL after `graceMs` (default 2 000). Settles when it is gone. */
  stop(graceMs?: number): Promise<ProcessExit>
}

const MAX_LINES = 200

/** A child whose parent was killed by force finds the end of its standard input, and follows. */
const FOLLOW_PARENT =
  "data:text/javascript,process.stdin.on('end',()=>process.exit(1)).on('error',()=>process.exit(1)).resume();process.stdin.unref?.()"

const alive = new Set<SpawnedProcess>()
let isHooked = false

/** @internal Starts a process, tracked by its handle: nothing is ever ended by name. */
export async function spawnProcess(options: SpawnOptions): Promise<LabProcess> {
  const isNode = options.command === undefined
  const child = spawn(
    options.command ?? process.execPath,
    isNode ? [`--import=${FOLLOW_PARENT}`, ...options.args] : [...options.args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    },
  )
  const spawned = new SpawnedProcess(options.name, child)
  await spawned.started
  return spawned
}

class SpawnedProcess implements LabProcess {
  readonly name: string
  readonly exited: Promise<ProcessExit>
  readonly started: Promise<void>
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiter = new LineWaiter(MAX_LINES)
  #exit: ProcessExit | undefined

  constructor(name: string, child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.name = name
    this.#child = child
    const { promise, resolve } = Promise.withResolvers<ProcessExit>()
    this.exited = promise
    this.started = new Promise((resolveStarted, rejectStarted) => {
      child.once('spawn', resolveStarted)
      child.once('error', (cause) =>
        rejectStarted(errors.BW_DRILL_PROCESS_FAILED(`${name}: ${cause.message}`, { cause })),
      )
    })
    child.stdin.on('error', () => {}) // It may end before it reads; `exited` tells.
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.#waiter.push(line))
    // `close` comes after the last line has been read, `exit` may come before it.
    child.once('close', (code, signal) => {
      this.#exit = { code, signal }
      alive.delete(this)
      resolve(this.#exit)
      this.#waiter.end(describeExit(this.#exit))
    })
    alive.add(this)
    hookExit()
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get lines(): readonly string[] {
    return this.#waiter.lines
  }

  async waitForLine(pattern: RegExp, timeoutMs: number = 15_000): Promise<string> {
    return await this.#waiter.waitFor(pattern, timeoutMs, (what) =>
      errors.BW_DRILL_PROCESS_FAILED(
        `${this.name} ${what}; its last lines:\n${this.lines.slice(-10).join('\n')}`,
      ),
    )
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(signal)
  }

  async stop(graceMs: number = 2_000): Promise<ProcessExit> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }
}

function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `code ${exit.code}` : `signal ${exit.signal}`
}

/** When this process is ended from inside (`process.exit`, an uncaught error), its children go first. */
function hookExit(): void {
  if (isHooked) return
  isHooked = true
  process.on('exit', () => {
    for (const child of alive) child.kill('SIGKILL')
  })
}
