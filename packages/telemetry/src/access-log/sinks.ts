import { close, constants, openSync, write } from 'node:fs'
import { errors } from '../errors.ts'
import type { WriteBatch } from './access-log.ts'

const { O_APPEND, O_CREAT, O_WRONLY } = constants

/** Opening a named pipe would wait for its reader, and the whole process with it. Windows has no such flag. */
const NEVER_WAIT: number = (constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0

export interface FileSink {
  readonly write: WriteBatch
  /** Closes the file. Close the log first. */
  close(): Promise<void>
}

/**
 * Appends batches to a file, made when it is missing, readable by its owner only. Safe with log rotation that copies and
 * truncates. A named pipe needs its reader first: there is no waiting for one.
 *
 * @throws `BW_TELEMETRY_SINK_UNAVAILABLE` when the file cannot be opened.
 */
export function openFileSink(path: string): FileSink {
  let fd: number
  let isClosed = false
  try {
    fd = openSync(path, O_APPEND | O_CREAT | O_WRONLY | NEVER_WAIT, 0o600)
  } catch (error) {
    throw errors.BW_TELEMETRY_SINK_UNAVAILABLE(
      `the log file ${path} cannot be opened for writing: ${reasonOf(error)}`,
      { cause: error },
    )
  }
  // The number of a closed file is that of the next one that is opened.
  const mayWrite = (): boolean => !isClosed
  return {
    write: (batch, done) => writeAll(fd, batch, 0, done, mayWrite),
    close: () =>
      new Promise((resolve, reject) => {
        isClosed = true
        close(fd, (error) => (error ? reject(error) : resolve()))
      }),
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENXIO: 'nobody reads from that pipe',
  EISDIR: 'it is a folder',
  ENOENT: 'no file can be made there',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reason = reasons[code]
  return reason === undefined ? error.message : `${reason} (${code})`
}

const RETRY_MS = 5

/**
 * Writes batches to standard output from a thread of the pool: `process.stdout` writes to a pipe while the whole process
 * waits, and would let a slow reader of the log stop the traffic.
 */
export const writeToStdout: WriteBatch = (batch, done) => {
  // Who looks at `process.stdout` sets its pipe or socket to never wait. A thread that waits for a reader cannot be given
  // up, not even by `process.exit`: the process would not end while the reader stands still.
  writeAll(process.stdout.fd, batch, 0, done)
}

function writeAll(
  fd: number,
  batch: Uint8Array,
  offset: number,
  done: (error?: Error | null) => void,
  mayWrite: () => boolean = () => true,
): void {
  if (!mayWrite()) {
    done(errors.BW_TELEMETRY_SINK_UNAVAILABLE('the log file was closed before all of it was written'))
    return
  }
  const goOn = (from: number): void => writeAll(fd, batch, from, done, mayWrite)
  write(fd, batch, offset, batch.length - offset, null, (error, writtenBytes) => {
    // Whoever closes the log waits for it, for some time; after that nobody does.
    if (error?.code === 'EAGAIN') setTimeout(() => goOn(offset), RETRY_MS).unref()
    else if (error !== null) done(error)
    else if (offset + writtenBytes >= batch.length) done()
    else goOn(offset + writtenBytes)
  })
}
