import { close, openSync, write } from 'node:fs'
import { errors } from '../errors.ts'
import type { WriteBatch } from './access-log.ts'

export interface FileSink {
  readonly write: WriteBatch
  /** Closes the file. Close the log first. */
  close(): Promise<void>
}

/**
 * Appends batches to a file, made when it is missing, readable by its owner only. Safe with log rotation that copies and
 * truncates.
 *
 * @throws `BW_TELEMETRY_SINK_UNAVAILABLE` when the file cannot be opened.
 */
export function openFileSink(path: string): FileSink {
  let fd: number
  try {
    fd = openSync(path, 'a', 0o600)
  } catch (error) {
    throw errors.BW_TELEMETRY_SINK_UNAVAILABLE(`the log file ${path} cannot be opened for writing`, {
      cause: error,
    })
  }
  return {
    write: (batch, done) => writeAll(fd, batch, 0, done),
    close: () =>
      new Promise((resolve, reject) => {
        close(fd, (error) => (error ? reject(error) : resolve()))
      }),
  }
}

const STDOUT = 1
const RETRY_MS = 5

/**
 * Writes batches to standard output from a thread of the pool: `process.stdout` writes to a pipe while the whole process
 * waits, and would let a slow reader of the log stop the traffic.
 */
export const writeToStdout: WriteBatch = (batch, done) => writeAll(STDOUT, batch, 0, done)

function writeAll(fd: number, batch: Uint8Array, offset: number, done: (error?: Error | null) => void): void {
  write(fd, batch, offset, batch.length - offset, null, (error, writtenBytes) => {
    if (error?.code === 'EAGAIN') setTimeout(() => writeAll(fd, batch, offset, done), RETRY_MS)
    else if (error !== null) done(error)
    else if (offset + writtenBytes >= batch.length) done()
    else writeAll(fd, batch, offset + writtenBytes, done)
  })
}
