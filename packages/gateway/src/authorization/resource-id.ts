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
  return (path) => decode(path.split('/')[index + 1])
}

function decode(piece: string | undefined): string | undefined {
  if (piece === undefined) return undefined
  try {
    const id = piece.includes('%') ? decodeURIComponent(piece) : piece
    return ID.test(id) && id !== '.' && id !== '..' ? id : undefined
  } catch {
    return undefined // not UTF-8
  }
}
