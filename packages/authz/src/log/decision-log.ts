import { join } from 'node:path'
import { AuthzError } from '../errors.ts'
import { Chain, fileName, headLine, sealLine } from './chain.ts'
import { openFileSink, type LogDurability, type LogSink } from './file-sink.ts'
import { LogBatch } from './log-batch.ts'
import { RecordWriter, type DecisionEntry } from './record.ts'
import { recoverLog } from './recover.ts'
import type { ChainHead } from './verify.ts'

export interface DecisionLogOptions {
  /** Folder of the files, this log's alone: one process, one folder. */
  readonly folder: string
  /** Names of context values that are recorded. Default none: a context may hold anything. `workload` always is. */
  readonly contextKeys?: readonly string[]
  /** A new file begins beyond this size. Default 64 MiB, at least 4 KiB. */
  readonly maxFileBytes?: number
  /** What a written decision survives. Default `process`. */
  readonly durability?: LogDurability
  /** Makes the seals keyed: who can write the files still cannot write a chain that fits. At least 32 bytes. */
  readonly key?: Uint8Array
  /** Told each seal once it is written, to be kept elsewhere. It must not throw. */
  readonly onSeal?: (head: ChainHead) => void
}

export interface DecisionLogDeps {
  /** Runs a function at the end of this turn. Default `setImmediate`. */
  readonly schedule?: (run: () => void) => void
  readonly openSink?: (path: string, durability: LogDurability) => LogSink
}

/** A flush in the middle of a turn keeps the memory of a turn bounded. */
const MAX_BATCH = 1024

/**
 * The record of every decision, hash-chained. Appending costs an array push; text, hash and one write are made once for all
 * decisions of a turn. Whoever acts on an allow waits for its batch first: `await log.append(entry).written()`. A process
 * killed at any point then leaves no acted-on allow without a record.
 */
export class DecisionLog implements Disposable {
  readonly #options: Required<
    Pick<DecisionLogOptions, 'folder' | 'contextKeys' | 'maxFileBytes' | 'durability'>
  > &
    DecisionLogOptions
  readonly #schedule: NonNullable<DecisionLogDeps['schedule']>
  readonly #openSink: NonNullable<DecisionLogDeps['openSink']>
  readonly #flushNow = (): void => this.flush()
  readonly #writer: RecordWriter
  #entries: DecisionEntry[] = []
  #batch: LogBatch = new LogBatch()
  #sink: LogSink
  #file: number
  #fileBytes: number
  #head: ChainHead
  #closed = false
  /** Something to say before the next record: a gap or a torn end. */
  #notice: Readonly<Record<string, string | number>> | undefined

  /**
   * Opens the folder and goes on where its chain ends.
   *
   * @throws `BW_AUTHZ_OPTIONS_INVALID`, `BW_AUTHZ_LOG_BROKEN` when the last file was changed.
   */
  constructor(options: DecisionLogOptions, deps: DecisionLogDeps = {}) {
    const { contextKeys = [], maxFileBytes = 64 * 1024 * 1024, durability = 'process', folder, key } = options
    if (!(maxFileBytes >= 4096)) throw invalid(`maxFileBytes ${maxFileBytes} must be at least 4096`)
    if (key !== undefined && key.length < 32) throw invalid(`a key of ${key.length} bytes, at least 32`)
    this.#options = { ...options, folder, contextKeys, maxFileBytes, durability }
    this.#writer = new RecordWriter(contextKeys)
    this.#schedule = deps.schedule ?? ((run) => void setImmediate(run))
    this.#openSink = deps.openSink ?? openFileSink
    const { head, file, bytes, tornBytes } = recoverLog(folder, key)
    this.#head = head
    this.#file = file
    this.#fileBytes = bytes
    this.#sink = this.#openSink(join(folder, fileName(file)), durability)
    if (tornBytes > 0) this.#notice = { by: 'recovered', tornBytes }
  }

  /** The last seal written. */
  get head(): ChainHead {
    return this.#head
  }

  /** Appends. The entry is read at the end of the turn; nothing of it may change before. */
  append(entry: DecisionEntry): LogBatch {
    if (this.#entries.length === 0) this.#schedule(this.#flushNow)
    else if (this.#entries.length >= MAX_BATCH) this.flush()
    this.#entries.push(entry)
    return this.#batch
  }

  /** Writes what is pending now. Never throws: the batch knows. */
  flush(): void {
    if (this.#entries.length === 0) return
    const entries = this.#entries
    const batch = this.#batch
    this.#entries = []
    this.#batch = new LogBatch()
    try {
      if (this.#closed) throw new Error('the log is closed')
      this.#write(entries)
      batch.succeed()
    } catch (cause) {
      const lost = entries.length + Number(this.#notice?.['lost'] ?? 0)
      this.#notice = { by: 'gap', lost }
      batch.fail(cause)
    }
  }

  /** Writes what is pending and closes the file. Later entries fail. */
  close(): void {
    if (this.#closed) return
    this.flush()
    this.#closed = true
    this.#sink.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #write(entries: readonly DecisionEntry[]): void {
    if (this.#fileBytes >= this.#options.maxFileBytes) this.#rotate()
    const { key, onSeal } = this.#options
    let { seq } = this.#head
    let text = this.#fileBytes === 0 ? headLine(this.#file, this.#head.seal) : ''
    if (this.#notice !== undefined) {
      const time = this.#writer.time(entries[0]?.timeMs ?? 0)
      text += `${JSON.stringify({ seq: (seq += 1), time, ...this.#notice })}\n`
    }
    for (const entry of entries) text += this.#writer.line((seq += 1), entry)
    // The chain moves on only with the file: a seal that was not written must not be built on.
    const body = Buffer.from(text)
    const seal = new Chain(this.#head.seal, key).next(body)
    const bytes = Buffer.concat([body, Buffer.from(sealLine(seal, seq, seq - this.#head.seq))])
    this.#sink.write(bytes)
    this.#fileBytes += bytes.length
    this.#head = { seq, seal }
    this.#notice = undefined
    onSeal?.(this.#head)
  }

  #rotate(): void {
    const { folder, durability } = this.#options
    const next = this.#openSink(join(folder, fileName(this.#file + 1)), durability)
    this.#sink.close()
    this.#sink = next
    this.#file += 1
    this.#fileBytes = 0
  }
}

function invalid(message: string): AuthzError {
  return new AuthzError('BW_AUTHZ_OPTIONS_INVALID', `decision log: ${message}`)
}
