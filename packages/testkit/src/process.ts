import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { LineWaiter } from '@breakwater/core'

/** A Node process started by a test. Disposing of it ends it and waits until it is gone. */
export interface NodeProcess extends AsyncDisposable {
  readonly pid: number
  /** Everything it has printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** Settles when it has ended and all its output has been read. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Does nothing once the process has ended, so that a reused pid is never hit. */
  kill(signal: NodeJS.Signals): void
}

export interface SpawnNodeOptions {
  readonly cwd?: string
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Text for its standard input, which is then closed. Default: closed at once. */
  readonly stdin?: string
}

const tracked = new Set<RunningNode>()

/** Below the ports that systems give to outgoing connections: one of those may take a port between its choice and its use. */
const PORTS = { first: 20_000, count: 12_000 } as const

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
  throw new Error('no port is free')
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return promise
}

/**
 * Runs `args` with the Node that runs the test, from source (`--conditions=source`). Ends with the test process at
 * the latest; use `await using` or `killAll`.
 */
export function spawnNode(args: readonly string[], options: SpawnNodeOptions = {}): NodeProcess {
  const child = spawn(process.execPath, ['--conditions=source', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  return new RunningNode(child, options.stdin ?? '')
}

/**
 * The first line of its standard output or error, past or to come, that matches.
 *
 * @throws Error with everything printed so far, when the process ends or `timeoutMs` (default 15 000) passes first.
 */
export async function waitForLine(
  running: NodeProcess,
  pattern: RegExp,
  timeoutMs: number = 15_000,
): Promise<string> {
  if (!(running instanceof RunningNode)) throw new TypeError('waitForLine needs a process of spawnNode')
  return running.waitForLine(pattern, timeoutMs)
}

/** Ends every process of `spawnNode` that still runs, each by its own handle. For `afterEach`. */
export async function killAll(): Promise<void> {
  await Promise.all(Array.from(tracked, (running) => running[Symbol.asyncDispose]()))
}

/** A fresh directory, removed with all in it at the end of the scope: `await using dir = await tempDir()`. */
export async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'breakwater-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

class RunningNode implements NodeProcess {
  stdout: string = ''
  stderr: string = ''
  readonly exited: NodeProcess['exited']
  readonly #child: ChildProcess
  readonly #waiter = new LineWaiter()
  #hasEnded = false

  constructor(child: ChildProcess, stdin: string) {
    this.#child = child
    const { promise, resolve } = Promise.withResolvers<Awaited<NodeProcess['exited']>>()
    this.exited = promise
    child.stdin?.on('error', () => {}) // It may end before it has read.
    child.stdin?.end(stdin)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#waiter.push(line))
    }
    child.once('error', (error) => (this.stderr += error.message))
    // `close` comes after the last output has been read, `exit` may come before it.
    child.once('close', (code, signal) => {
      tracked.delete(this)
      this.#hasEnded = true
      this.#waiter.end(signal === null ? `code ${code}` : `signal ${signal}`)
      resolve({ code, signal })
    })
    tracked.add(this)
    killWithParent()
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#hasEnded) this.#child.kill(signal)
  }

  async waitForLine(pattern: RegExp, timeoutMs: number): Promise<string> {
    return await this.#waiter.waitFor(
      pattern,
      timeoutMs,
      (what) => new Error(`the process ${what}\n${this.stdout}\n${this.stderr}`),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), 5_000)
    await this.exited
    clearTimeout(timer)
  }
}

let isHooked = false

function killWithParent(): void {
  if (isHooked) return
  isHooked = true
  process.on('exit', () => {
    for (const running of tracked) running.kill('SIGKILL')
  })
}
