import { closeSync, fstatSync, ftruncateSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

/** Where the log's bytes go. Synchronous: when `write` returns, the kernel has all of them, and a killed process loses none. */
export interface LogSink {
  /** Appends all bytes, or throws with none of them left behind where that is possible. */
  write(bytes: Uint8Array): void
  close(): void
}

/** How far a decision has to be safe before it is acted on. `process`: a killed process. `power`: a lost machine, at the cost
 * of a disk flush a batch. */
export type LogDurability = 'process' | 'power'

/** Appends to a file, made for its owner alone. A write that fails half-way is taken back. */
export function openFileSink(path: string, durability: LogDurability): LogSink {
  const file = openSync(path, 'a', 0o600)
  let size = fstatSync(file).size
  return {
    write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
        if (durability === 'power') fdatasyncSync(file)
      } catch (error) {
        ftruncateSync(file, size)
        throw error
      }
      size += bytes.length
    },
    close: () => closeSync(file),
  }
}
