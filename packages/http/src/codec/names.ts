import { TOKEN } from './tables.ts'

/** What a field name means to framing and connection handling. */
export const Kind = {
  other: 0,
  contentLength: 1,
  transferEncoding: 2,
  host: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  /** Looks like a framing field to a backend that maps `_` to `-`: refused. */
  disguised: 7,
} as const

/** A field name seen before: one string for all its uses, compared by identity. */
export interface KnownName {
  readonly name: string
  readonly kind: number
}

const KINDS = new Map<string, number>([
  ['content-length', Kind.contentLength],
  ['transfer-encoding', Kind.transferEncoding],
  ['host', Kind.host],
  ['connection', Kind.connection],
  ['expect', Kind.expect],
  ['upgrade', Kind.upgrade],
  ['content_length', Kind.disguised],
  ['transfer_encoding', Kind.disguised],
])

const SLOTS = 1024
const EMPTY: KnownName = { name: '', kind: Kind.other }

/**
 * Direct-mapped and therefore bounded: a flood of invented names only evicts, and every lookup compares bytes.
 * Field names are the same few dozen all day; this saves making and hashing a string for each.
 */
const known: KnownName[] = Array.from({ length: SLOTS }, () => EMPTY)

/** The name in `bytes[start, end)`, lower-cased. `hash` is the caller's hash over the lower-cased bytes. */
export function knownName(bytes: Uint8Array, start: number, end: number, hash: number): KnownName {
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  const entry = known[slot] ?? EMPTY
  if (entry.name.length === end - start && sameName(entry.name, bytes, start)) return entry
  return learn(bytes, start, end, slot)
}

function sameName(name: string, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    if (TOKEN[bytes[start + at] as number] !== name.charCodeAt(at)) return false
  }
  return true
}

function learn(bytes: Uint8Array, start: number, end: number, slot: number): KnownName {
  let name = ''
  for (let at = start; at < end; at++) name += String.fromCharCode(TOKEN[bytes[at] as number] as number)
  // A property key is internalised by the engine: later comparisons with literals are comparisons of pointers.
  name = Object.keys({ [name]: 0 })[0] ?? name
  const entry: KnownName = { name, kind: KINDS.get(name) ?? Kind.other }
  // Long names are not worth a slot that stays for ever.
  if (name.length <= 64) known[slot] = entry
  return entry
}
