/** A word or sign of Cedar's policy language with where it stands. */
export interface Token {
  readonly kind: 'identifier' | 'integer' | 'string' | 'sign' | 'slot' | 'end'
  /** The characters as written; a string's quotes are left off. */
  readonly text: string
  readonly at: number
  readonly end: number
}

/** Thrown where the text leaves what this reader knows; the official engine then takes the whole set. */
export class UnreadablePolicy extends Error {
  readonly at: number

  constructor(what: string, at: number) {
    super(`${what} at offset ${at}`)
    this.at = at
  }
}

const TOKEN =
  /((?:\s|\/\/[^\n\r]*)+)|([_a-zA-Z][_a-zA-Z0-9]*)|([0-9]+)|"((?:[^"\\]|\\[^])*)"|(\?(?:principal|resource)\b)|(::|==|!=|<=|>=|&&|\|\||[@.,;()[\]{}<>=!+*:-])/y

/** Splits a policy text. Integers stay text: no digit is lost on the way to a Long. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new UnreadablePolicy('unknown character', at)
    const end = TOKEN.lastIndex
    const [, space, identifier, integer, string, slot, sign] = match
    if (space !== undefined) continue
    if (identifier !== undefined) tokens.push({ kind: 'identifier', text: identifier, at, end })
    else if (integer !== undefined) tokens.push({ kind: 'integer', text: integer, at, end })
    else if (string !== undefined) tokens.push({ kind: 'string', text: string, at, end })
    else if (slot !== undefined) tokens.push({ kind: 'slot', text: slot, at, end })
    else tokens.push({ kind: 'sign', text: sign ?? '', at, end })
  }
  tokens.push({ kind: 'end', text: '', at: text.length, end: text.length })
  return tokens
}
