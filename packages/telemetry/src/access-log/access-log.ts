import { systemClock } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { MetricsRegistry } from '../metrics/registry.ts'
import { LineWriter } from './line.ts'
import type { AccessLogEntry, QueryLogging } from './line.ts'

/**
 * Takes one batch of whole lines. Must call `done` once, with what went wrong if anything did. The bytes belong to the log
 * again after that. Must not block.
 */
export type WriteBatch = (batch: Uint8Array, done: (error?: Error | null) => void) => void

export interface AccessLogOptions {
  readonly write: WriteBatch
  /** Memory for lines: one half fills while the other is being written. Bytes, from 16,384. Default 1 MiB. */
  readonly bufferBytes?: number
  /** A batch leaves a little after its first line, and already when it has this many bytes. Default 262,144. */
  readonly batchBytes?: number
  /** Share of ordinary requests that is logged, 0 to 1. What failed (status 0 or 400 and above, or with a code) always is. Default 1. */
  readonly sampleRatio?: number
  /** Default `redact`. */
  readonly query?: QueryLogging
  /** How long `close` waits for a sink that does not answer. Milliseconds. Default 2,000. */
  readonly closeTimeoutMs?: number
}

export interface AccessLogDeps {
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * How long a line waits for others, in milliseconds. A write wakes a thread of the pool and is woken by it: once a turn of
 * the event loop, that was a twentieth of the processor time of a busy gateway. A crash loses the lines of that time.
 */
const LINGER_MS = 25

/**
 * Writes a line of JSON a request, one system call for all that gather within `LINGER_MS`. Never blocks and never grows: when
 * the sink is slower than the traffic, lines that do not fit are dropped and counted. Logs no credential: no header but those
 * asked for, and of those never a secret one.
 */
export class AccessLog implements AsyncDisposable {
  /** Lines given to the sink without an error. */
  writtenLines = 0
  /** Lines lost: no room, or the sink failed. */
  droppedLines = 0
  /** Requests that the sampling left out. */
  sampledOutLines = 0

  readonly #write: WriteBatch
  readonly #lines: LineWriter
  readonly #batchBytes: number
  readonly #sampleRatio: number
  readonly #closeTimeoutMs: number
  readonly #clock: Clock
  readonly #random: () => number
  readonly #flushLater = (): void => {
    this.#scheduled = false
    this.#flush()
  }
  #filling: Buffer
  #spare: Buffer
  #usedBytes = 0
  #lineCount = 0
  #inFlightLines = 0
  #abandoned = false
  #writing = false
  #scheduled = false
  #closed = false
  #onIdle: (() => void) | undefined

  /** @throws `BW_TELEMETRY_OPTIONS_INVALID` listing every option that is out of its range. */
  constructor(options: AccessLogOptions, deps: AccessLogDeps = {}) {
    const { bufferBytes = 1_048_576, batchBytes = 262_144, sampleRatio = 1, closeTimeoutMs = 2000 } = options
    const problems: string[] = []
    if (!(Number.isInteger(bufferBytes) && bufferBytes >= 16_384)) {
      problems.push(`bufferBytes must be a whole number from 16,384, got ${bufferBytes}`)
    }
    if (!(batchBytes >= 1)) problems.push(`batchBytes must be 1 or more, got ${batchBytes}`)
    if (!(sampleRatio >= 0 && sampleRatio <= 1))
      problems.push(`sampleRatio must be from 0 to 1, got ${sampleRatio}`)
    if (!(closeTimeoutMs >= 0)) problems.push(`closeTimeoutMs must be 0 or more, got ${closeTimeoutMs}`)
    if (problems.length > 0) throw errors.BW_TELEMETRY_OPTIONS_INVALID(`access log: ${problems.join('; ')}`)
    const half = Math.floor(bufferBytes / 2)
    this.#filling = Buffer.allocUnsafe(half)
    this.#spare = Buffer.allocUnsafe(half)
    this.#write = options.write
    this.#lines = new LineWriter(options.query ?? 'redact')
    this.#batchBytes = Math.min(batchBytes, half)
    this.#sampleRatio = sampleRatio
    this.#closeTimeoutMs = closeTimeoutMs
    this.#clock = deps.clock ?? systemClock
    this.#random = deps.random ?? Math.random
  }

  /** Logs one finished request. Costs one line of text and a copy of it; after `close` the line counts as dropped. */
  log(entry: AccessLogEntry): void {
    const failed = entry.status >= 400 || entry.status === 0 || entry.code !== undefined
    if (!failed && this.#sampleRatio < 1 && this.#random() >= this.#sampleRatio) {
      this.sampledOutLines++
      return
    }
    if (this.#closed) {
      this.droppedLines++
      return
    }
    const line = this.#lines.line(entry)
    if (this.#usedBytes + line.length > this.#filling.length) {
      this.#flush()
      if (this.#usedBytes + line.length > this.#filling.length) {
        this.droppedLines++
        return
      }
    }
    this.#usedBytes += this.#filling.write(line, this.#usedBytes, 'latin1')
    this.#lineCount++
    if (this.#usedBytes >= this.#batchBytes) this.#flush()
    else if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true
      this.#clock.schedule(LINGER_MS, this.#flushLater)
    }
  }

  /** Lines waiting for the sink, in bytes. Never above half of `bufferBytes`. */
  get bufferedBytes(): number {
    return this.#usedBytes
  }

  /** Writes what is left and stops. A sink that does not answer within `closeTimeoutMs` loses its lines, counted. */
  async close(): Promise<void> {
    this.#closed = true
    this.#flush()
    if (!this.#writing && this.#usedBytes === 0) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.schedule(this.#closeTimeoutMs, () => {
        this.#onIdle = undefined
        this.#abandoned = true
        this.droppedLines += this.#lineCount + this.#inFlightLines
        this.#usedBytes = 0
        this.#lineCount = 0
        resolve()
      })
      this.#onIdle = (): void => {
        timer.cancel()
        resolve()
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Registers this log's counts with a registry. Returns what takes them away from its collection again. */
  publishTo(registry: MetricsRegistry): () => void {
    const lines = registry.counter({
      name: 'breakwater_access_log_lines_total',
      help: 'Requests by what became of their log line.',
      labels: ['outcome'],
    })
    const written = lines.labels('written')
    const dropped = lines.labels('dropped')
    const sampledOut = lines.labels('sampled-out')
    return registry.onCollect(() => {
      written.add(this.writtenLines - written.value)
      dropped.add(this.droppedLines - dropped.value)
      sampledOut.add(this.sampledOutLines - sampledOut.value)
    })
  }

  #flush(): void {
    if (this.#writing || this.#usedBytes === 0) return
    const batch = this.#filling.subarray(0, this.#usedBytes)
    const lineCount = this.#lineCount
    this.#inFlightLines = lineCount
    const written = this.#filling
    this.#filling = this.#spare
    this.#spare = written
    this.#usedBytes = 0
    this.#lineCount = 0
    this.#writing = true
    let answered = false
    const done = (error?: Error | null): void => {
      if (answered || this.#abandoned) return
      answered = true
      this.#writing = false
      if (error === undefined || error === null) this.writtenLines += lineCount
      else this.droppedLines += lineCount
      this.#flush()
      if (!this.#writing && this.#usedBytes === 0) this.#onIdle?.()
    }
    try {
      this.#write(batch, done)
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
