import { existsSync, mkdirSync, readFileSync, readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { AuthzError } from '../errors.ts'
import { FILE_NAME, NO_SEAL, fileName } from './chain.ts'
import { verifyLog, type ChainHead, type LogFile } from './verify.ts'

/** Where a log goes on. */
export interface LogState {
  readonly head: ChainHead
  /** Number of the file to append to. */
  readonly file: number
  /** Its bytes, after what had no seal was cut off. */
  readonly bytes: number
  /** Bytes cut off: a write that a crash interrupted, on which nothing was done. */
  readonly tornBytes: number
}

/** Every file of a log folder, in order. */
export function readLogFolder(folder: string): LogFile[] {
  const number = (name: string): number => Number(FILE_NAME.exec(name)?.[1])
  return readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .sort((a, b) => number(a) - number(b))
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
}

/**
 * Finds the end of the log in a folder (made when it is not there, for its owner alone) and cuts off what has no seal.
 *
 * @throws `BW_AUTHZ_LOG_BROKEN` when the last file does not fit its own chain: nothing may be appended to that.
 */
export function recoverLog(folder: string, key: Uint8Array | undefined): LogState {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const names = readdirSync(folder).filter((name) => FILE_NAME.test(name))
  let file = Math.max(0, ...names.map((name) => Number(FILE_NAME.exec(name)?.[1])))
  if (file === 0) return { head: { seq: 0, seal: NO_SEAL }, file: 1, bytes: 0, tornBytes: 0 }
  const last = readEnd(folder, file, key)
  truncateSync(join(folder, fileName(file)), last.bytes)
  if (last.bytes > 0 || file === 1) return { ...last, file }
  // The crash came before the first seal of a new file: the chain ends in the one before.
  const { head } = readEnd(folder, file - 1, key)
  return { head, file, bytes: 0, tornBytes: last.tornBytes }
}

function readEnd(folder: string, file: number, key: Uint8Array | undefined): Omit<LogState, 'file'> {
  const name = fileName(file)
  const bytes = readFileSync(join(folder, name))
  const [first = '', second = ''] = bytes.subarray(0, 65_536).toString().split('\n', 2)
  const start = {
    seq: (fieldOf(second, 'seq', 1) as number) - 1,
    seal: String(fieldOf(first, 'chain', NO_SEAL)),
  }
  const verdict = verifyLog([{ name, bytes }], { start, ...(key !== undefined && { key }) })
  if (verdict.problem !== undefined) {
    const { line, message } = verdict.problem
    throw new AuthzError('BW_AUTHZ_LOG_BROKEN', `${join(folder, name)}:${line} ${message}`)
  }
  const { head, unsealedBytes } = verdict
  return { head, bytes: bytes.length - unsealedBytes, tornBytes: unsealedBytes }
}

function fieldOf(line: string, name: string, otherwise: string | number): string | number {
  try {
    const value: unknown = (JSON.parse(line) as Readonly<Record<string, unknown>>)[name]
    return typeof value === typeof otherwise ? (value as string | number) : otherwise
  } catch {
    return otherwise
  }
}
