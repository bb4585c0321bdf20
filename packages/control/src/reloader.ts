import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'

import { diffConfig, loadConfig, resolveTolerant } from '@breakwater/contract'
import type { ConfigProblem, GatewayConfig, TolerantResult } from '@breakwater/contract'
import { isBreakwaterError } from '@breakwater/core'
import type { Gateway } from '@breakwater/gateway'

export interface ReloaderOptions {
  readonly gateway: Pick<Gateway, 'config' | 'reload'>
  /** `breakwater.yaml`, or a configuration module. */
  readonly file: string
  /** Variables that override values. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** What reading the file again came to. */
export interface ReloadReport {
  /** Wall-clock time, RFC 3339. */
  readonly at: string
  /** Whether nothing of the file is in effect. */
  readonly isRefused: boolean
  /** Everything that is wrong with the file. Empty: all of it is in effect. */
  readonly problems: readonly ConfigProblem[]
  /** Routes and upstreams that are bad now and stay as they were: `routes.orders`. */
  readonly kept: readonly string[]
  /** Routes and upstreams that are bad now and have no good version. */
  readonly dropped: readonly string[]
  /** Settings that differ and wait for the next start. */
  readonly needsRestart: readonly string[]
  /** Why the gateway could not change, such as a listener whose port is taken. */
  readonly failure: string | undefined
}

const READ_AT_START = new Set([
  'name',
  'overload',
  'telemetry',
  'admin',
  'state',
  'sockets',
  'services',
  'welcome',
])

/**
 * Reads a gateway's configuration again and puts it into effect: a route or upstream that has become bad keeps its last
 * good version, anything else that is wrong changes nothing. One reload at a time.
 */
export class Reloader {
  readonly file: string
  readonly #gateway: ReloaderOptions['gateway']
  readonly #environment: Readonly<Record<string, string | undefined>>
  #turn: Promise<unknown> = Promise.resolve()
  #started: GatewayConfig
  #last: ReloadReport | undefined

  constructor({ gateway, file, environment = {} }: ReloaderOptions) {
    this.file = resolve(file)
    this.#gateway = gateway
    this.#environment = environment
    this.#started = gateway.config
  }

  /** What the last reload came to; `undefined` before the first. */
  get last(): ReloadReport | undefined {
    return this.#last
  }

  /** Never throws for what is wrong with the file: that is in the report. */
  reload(): Promise<ReloadReport> {
    const next = this.#turn.then(() => this.#reload())
    this.#turn = next.catch(() => {})
    return next
  }

  async #reload(): Promise<ReloadReport> {
    const read = await this.#read()
    let failure: string | undefined
    if (!read.isRefused) {
      try {
        await this.#gateway.reload(read.config)
      } catch (error) {
        if (!isBreakwaterError(error)) throw error
        failure = error.message
      }
    }
    const { problems, kept, dropped } = read
    const isRefused = read.isRefused || failure !== undefined
    const changed = isRefused ? [] : diffConfig(this.#started, read.config).settings
    this.#last = {
      at: new Date().toISOString(),
      isRefused,
      problems,
      kept,
      dropped,
      needsRestart: changed.filter((key) => READ_AT_START.has(key)),
      failure,
    }
    return this.#last
  }

  async #read(): Promise<TolerantResult> {
    const previous = this.#gateway.config
    const refused = (problems: readonly ConfigProblem[]): TolerantResult => ({
      config: previous,
      problems,
      isRefused: true,
      kept: [],
      dropped: [],
    })
    const text = /\.ya?ml$/.test(this.file) ? readIfThere(this.file) : undefined
    if (text === undefined) {
      const loaded = await loadConfig(this.file, this.#environment)
      if (!loaded.ok) return refused(loaded.error)
      return { config: loaded.value.config, problems: [], isRefused: false, kept: [], dropped: [] }
    }
    const near = relative(process.cwd(), this.file)
    return resolveTolerant(text, previous, {
      file: near.startsWith('..') || isAbsolute(near) ? this.file : near,
      baseDir: dirname(this.file),
      environment: this.#environment,
    })
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // loadConfig says why
  }
}
