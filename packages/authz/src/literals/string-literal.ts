import type { PatternElement } from '../values/like.ts'

/** What stands for one character in a string literal: itself, or an escape. */
const PIECE = /\\(?:x([0-7][0-9a-fA-F])|u\{([0-9a-fA-F_]{1,12})\}|([nrt\\0'"*]))|([^\\])/uy
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' }

/** The elements of a literal's inside (quotes taken off); undefined where an escape is unknown. */
function pieces(
  inside: string,
): { readonly text: string; readonly star: 'no' | 'bare' | 'escaped' }[] | undefined {
  const result: { text: string; star: 'no' | 'bare' | 'escaped' }[] = []
  PIECE.lastIndex = 0
  while (PIECE.lastIndex < inside.length) {
    const match = PIECE.exec(inside)
    if (match === null) return undefined
    const [, hex, code, single, plain] = match
    if (plain !== undefined) result.push({ text: plain, star: plain === '*' ? 'bare' : 'no' })
    else if (single !== undefined)
      result.push({ text: ESCAPES[single] ?? single, star: single === '*' ? 'escaped' : 'no' })
    else {
      const scalar = Number.parseInt((hex ?? code ?? '').replaceAll('_', ''), 16)
      if (!(scalar <= 0x10ffff) || (scalar >= 0xd800 && scalar <= 0xdfff)) return undefined
      const text = String.fromCodePoint(scalar)
      result.push({ text, star: text === '*' ? 'bare' : 'no' })
    }
  }
  return result
}

/** The value of a Cedar string literal's inside, or undefined when it is not one. `\*` exists in patterns only. */
export function unescapeString(inside: string): string | undefined {
  const parts = pieces(inside)
  if (parts === undefined || parts.some((part) => part.star === 'escaped')) return undefined
  return parts.map((part) => part.text).join('')
}

/** The elements of a `like` pattern, or undefined when it is not one. */
export function unescapePattern(inside: string): PatternElement[] | undefined {
  return pieces(inside)?.map((part) => (part.star === 'bare' ? 'wildcard' : { literal: part.text }))
}
