import { unescapeString } from './string-literal.ts'
import { UnreadablePolicy, tokenize, type Token } from './tokens.ts'

/** How deep expressions may nest before a set goes to the official engine (its own limit is its stack). */
export const MAX_EXPRESSION_DEPTH = 200

/** A position in a token list, with the small steps every rule of the grammar is made of. */
export class TokenCursor {
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1
    const token = this.#tokens[Math.min(this.#index + ahead, last)]
    if (token === undefined) throw new UnreadablePolicy('no token', 0)
    return token
  }

  next(): Token {
    const token = this.peek()
    this.#index += 1
    return token
  }

  /** Where the last token taken ends. */
  get end(): number {
    return this.#tokens[this.#index - 1]?.end ?? 0
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return (
      token.text === text && (token.kind === 'sign' || token.kind === 'identifier' || token.kind === 'slot')
    )
  }

  take(text: string): boolean {
    if (!this.is(text)) return false
    this.#index += 1
    return true
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unreadable(`expected \`${text}\``)
  }

  identifier(): string {
    const token = this.next()
    if (token.kind !== 'identifier') throw new UnreadablePolicy('expected an identifier', token.at)
    return token.text
  }

  string(): string {
    const token = this.next()
    const value = token.kind === 'string' ? unescapeString(token.text) : undefined
    if (value === undefined) throw new UnreadablePolicy('expected a string', token.at)
    return value
  }

  /** Items between commas up to `close`, which is taken; a comma may end the list. */
  list<Item>(close: string, item: () => Item): Item[] {
    const items: Item[] = []
    while (!this.take(close)) {
      items.push(item())
      if (!this.is(close)) this.expect(',')
    }
    return items
  }

  /** Runs a rule one level deeper. */
  nested<Result>(rule: () => Result): Result {
    this.#depth += 1
    if (this.#depth > MAX_EXPRESSION_DEPTH)
      throw this.unreadable(`nested deeper than ${MAX_EXPRESSION_DEPTH}`)
    const result = rule()
    this.#depth -= 1
    return result
  }

  unreadable(what: string): UnreadablePolicy {
    return new UnreadablePolicy(what, this.peek().at)
  }
}
