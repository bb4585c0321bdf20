import { Chain, NO_SEAL } from './chain.ts'

/** The end of a chain as somebody wrote it down elsewhere. */
export interface ChainHead {
  readonly seq: number
  readonly seal: string
}

/** What a verification found. */
export interface LogVerdict {
  readonly ok: boolean
  readonly files: number
  /** Records under a seal that fits. */
  readonly records: number
  /** The last seal that fits. */
  readonly head: ChainHead
  /** The first thing that does not fit, with its place. Nothing behind it can be trusted. */
  readonly problem?: { readonly file: string; readonly line: number; readonly message: string }
  /** Bytes at the end without a seal: a write that a crash cut off. No decision in it was acted on. */
  readonly unsealedBytes: number
}

/** One file of a log. */
export interface LogFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface VerifyOptions {
  /** Seals kept elsewhere, as `onSeal` gave them. Each must be in the chain: this shows a cut-off end, or a rewritten log. */
  readonly heads?: readonly ChainHead[]
  /** The key of the log, when it has one. */
  readonly key?: Uint8Array
  /** The seal before the first file, when earlier files have been taken away on purpose. Default: the log is whole. */
  readonly start?: ChainHead
}

interface Walk {
  readonly chain: Chain
  readonly seals: Map<number, string>
  seq: number
  records: number
  unsealedBytes: number
  /** Records of the last file since its last seal. */
  fileNumber: number | undefined
}

/**
 * Checks the files of a log, in their order, without anything but them: an edit, a record or file that went, came or moved
 * breaks the chain. A cut-off end is whole in itself; `heads` shows it.
 */
export function verifyLog(files: readonly LogFile[], options: VerifyOptions = {}): LogVerdict {
  const { heads = [], key, start = { seq: 0, seal: NO_SEAL } } = options
  const walk: Walk = {
    chain: new Chain(start.seal, key),
    seals: new Map([[start.seq, start.seal]]),
    seq: start.seq,
    records: 0,
    unsealedBytes: 0,
    fileNumber: undefined,
  }
  let problem: LogVerdict['problem']
  for (const file of files) {
    if (walk.unsealedBytes > 0) {
      problem = { file: file.name, line: 1, message: 'the file before it ends without a seal' }
      break
    }
    problem = verifyFile(file, walk)
    if (problem !== undefined) break
  }
  problem ??= missingHead(heads, walk, files.at(-1)?.name ?? 'log')
  const head = { seq: walk.seq, seal: walk.chain.seal }
  return {
    ok: problem === undefined,
    files: files.length,
    records: walk.records,
    head,
    unsealedBytes: walk.unsealedBytes,
    ...(problem !== undefined && { problem }),
  }
}

const NEWLINE = 10

function verifyFile({ name, bytes }: LogFile, walk: Walk): LogVerdict['problem'] {
  const text = new TextDecoder()
  let batchAt = 0
  let batchRecords = 0
  let seq = walk.seq
  let line = 0
  for (let at = 0; at < bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, at)
    if (end < 0) break
    const fault = (message: string): LogVerdict['problem'] => ({ file: name, line: line + 1, message })
    const value = parsed(text.decode(bytes.subarray(at, end)))
    if (value === undefined) return fault('not a line of a log')
    if (line === 0) {
      if (value['log'] !== 'breakwater-decisions-1') return fault('not a decision log')
      if (value['chain'] !== walk.chain.seal) return fault('does not follow the file before it')
      if (walk.fileNumber !== undefined && value['file'] !== walk.fileNumber + 1)
        return fault(`file ${String(value['file'])} after file ${walk.fileNumber}`)
      walk.fileNumber = Number(value['file'])
    } else if (typeof value['seal'] === 'string') {
      const seal = walk.chain.next(bytes.subarray(batchAt, at))
      if (value['seal'] !== seal)
        return fault(`the seal does not fit the ${batchRecords} records before it (from ${walk.seq + 1})`)
      if (value['seq'] !== seq || value['records'] !== batchRecords) return fault('the seal counts otherwise')
      walk.seq = seq
      walk.records += batchRecords
      walk.seals.set(seq, seal)
      batchRecords = 0
      batchAt = end + 1
    } else {
      if (value['seq'] !== seq + 1) return fault(`record ${String(value['seq'])} where ${seq + 1} is due`)
      seq += 1
      batchRecords += 1
    }
    at = end + 1
  }
  walk.unsealedBytes = bytes.length - batchAt
  return undefined
}

function missingHead(heads: readonly ChainHead[], walk: Walk, file: string): LogVerdict['problem'] {
  for (const head of heads) {
    const seal = walk.seals.get(head.seq)
    if (seal === head.seal) continue
    const message =
      head.seq > walk.seq
        ? `ends at record ${walk.seq}, but record ${head.seq} was sealed: its end is cut off`
        : `record ${head.seq} has another seal than the one kept: the log is rewritten`
    return { file, line: 0, message }
  }
  return undefined
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
