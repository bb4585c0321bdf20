import type { PathPattern } from '@breakwater/contract'
import type { Caller } from './caller.ts'

/** Reads the id of the object of a request; undefined when there is none that all who see the path agree on. */
export type ReadResourceId = (path: string, caller: Caller) => string | undefined

/** No separators, escapes or controls: an id that the next server could read as more than one piece is not one. */
const ID = /^[^/\\%\p{Cc}\p{Cs}]{1,256}$/u

/** Compiles `{name}`, `$tenant`, `$user` or fixed text. */
export function resourceIdOf(id: string, { segments }: PathPattern): ReadResourceId {
  if (id === '$tenant') return (_path, caller) => caller.tenant
  if (id === '$user') return (_path, caller) => caller.user
  const name = /^\{(.*)\}$/.exec(id)?.[1]
  if (name === undefined) return () => id
  const index = segments.findIndex((segment) => segment.kind === 'parameter' && segment.name === name)
  return (path) => decode(pieceOf(path, index))
}

/** The piece after as many slashes as `index` says and one; the path is not taken apart for it. */
function pieceOf(path: string, index: number): string | undefined {
  let start = path.indexOf('/') + 1
  if (start === 0) return undefined
  for (let at = 0; at < index; at++) {
    start = path.indexOf('/', start) + 1
    if (start === 0) return undefined
  }
  const end = path.indexOf('/', start)
  return end < 0 ? path.slice(start) : path.slice(start, end)
}

function decode(piece: string | undefined): string | undefined {
  if (piece === undefined) return undefined
  if (isPlain(piece)) return piece
  try {
    const id = piece.includes('%') ? decodeURIComponent(piece) : piece
    return ID.test(id) && id !== '.' && id !== '..' ? id : undefined
  } catch {
    return undefined // not UTF-8
  }
}

/** Letters, digits, `-` and `_`: what nearly every id is made of, and nobody reads in two ways. */
function isPlain(piece: string): boolean {
  if (piece.length === 0 || piece.length > 256) return false
  for (let at = 0; at < piece.length; at++) {
    const code = piece.charCodeAt(at)
    const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
    if (!isLetter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x5f) return false
  }
  return true
}
