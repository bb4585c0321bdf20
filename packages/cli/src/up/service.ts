import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

import { readSecret } from '@breakwater/contract'
import type { ServiceConfig } from '@breakwater/contract'
import { errors } from '../errors.ts'
import { signalGroup } from './process-group.ts'

export interface ServiceDeps {
  /** Variables that it gets beneath those of its configuration. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Told of every line that it prints. */
  readonly onLine: (line: string) => void
}

/** How a process ended, in words. */
export type Ending = string

/** One program of `services:`. It leads a process group of its own, so that Ctrl-C does not reach it before its turn. */
export class Service {
  readonly config: ServiceConfig
  /** Settles when it is gone. Never rejects. */
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  #ending: Ending | undefined
  #isStopping = false

  private constructor(config: ServiceConfig, child: ChildProcess, onLine: (line: string) => void) {
    this.config = config
    this.#child = child
    const { promise, resolve } = Promise.withResolvers<Ending>()
    this.ended = promise
    const end = (ending: Ending): void => {
      this.#ending = ending
      resolve(ending)
    }
    child.once('error', (error: NodeJS.ErrnoException) =>
      end(`could not be started: ${startMistake(config, error)}`),
    )
    child.once('exit', (code, signal) =>
      end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
    )
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', onLine)
    }
  }

  /** @throws `BW_CONFIG_SECRET_MISSING` when a variable refers to a secret that is not there. */
  static start(config: ServiceConfig, { environment, onLine }: ServiceDeps): Service {
    const [program = '', ...args] = config.command
    const isNode = program === 'node'
    const own = Object.entries(config.env).map(
      ([name, value]) => [name, typeof value === 'string' ? value : readSecret(value, environment)] as const,
    )
    const child = spawn(isNode ? process.execPath : program, args, {
      cwd: config.cwdDir,
      env: { ...environment, ...Object.fromEntries(own) },
      detached: true,
      windowsHide: true,
      // A Node service may notice by its channel that the gateway is gone, before the watchdog tells it.
      stdio: isNode ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    })
    return new Service(config, child, onLine)
  }

  get name(): string {
    return this.config.name
  }

  /** `undefined` when it could not be started or has ended. */
  get pid(): number | undefined {
    return this.#ending === undefined ? this.#child.pid : undefined
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /**
   * Waits for its health check.
   *
   * @throws `BW_CLI_SERVICE_FAILED` when it ends first or takes too long.
   */
  async untilHealthy(signal: AbortSignal): Promise<void> {
    const { health, startTimeoutMs, name } = this.config
    if (health === undefined) {
      // A program that is not there tells within the turn.
      await Promise.race([this.ended, sleep(0)])
      if (this.#ending !== undefined)
        throw errors.BW_CLI_SERVICE_FAILED(`the service ${name} ${this.#ending}`)
      return
    }
    const endMs = performance.now() + startTimeoutMs
    for (;;) {
      if (await isHealthy(health.url, signal)) return
      if (this.#ending !== undefined) {
        throw errors.BW_CLI_SERVICE_FAILED(`the service ${name} ${this.#ending} before it was healthy`)
      }
      if (performance.now() >= endMs) {
        throw errors.BW_CLI_SERVICE_FAILED(
          `the service ${name} did not answer at ${health.url} within ${startTimeoutMs} ms`,
        )
      }
      await Promise.race([this.ended, sleep(health.intervalMs, undefined, { signal })])
    }
  }

  /** SIGTERM, and SIGKILL after its time. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const { pid } = this
    if (pid === undefined) return
    signalGroup(pid, 'SIGTERM')
    const timer = setTimeout(() => this.kill(), this.config.stopTimeoutMs)
    await this.ended
    clearTimeout(timer)
  }

  kill(): void {
    this.#isStopping = true
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL')
  }
}

/** `spawn x ENOENT` is said of a program and of its folder alike. */
function startMistake(
  { command: [program = ''], cwdDir }: ServiceConfig,
  error: NodeJS.ErrnoException,
): string {
  if (error.code !== 'ENOENT') return error.message
  return existsSync(cwdDir) ? `there is no program ${program}` : `there is no folder ${cwdDir}`
}

async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]),
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    signal.throwIfAborted()
    return false
  }
}
