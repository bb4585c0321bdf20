import { AuthzError } from '../errors.ts'
import { parseLong } from '../values/long.ts'

/** JSON whose numbers are read as `Num`. Objects have no prototype, so every key is an ordinary key. */
export type JsonOf<Num> = null | boolean | string | Num | readonly JsonOf<Num>[] | JsonObjectOf<Num>
export interface JsonObjectOf<Num> {
  readonly [key: string]: JsonOf<Num> | undefined
}

/** What `readJson` yields. */
export type Json = JsonOf<number | bigint>
export type JsonObject = JsonObjectOf<number | bigint>

/** What is made of the parts that JSON and Cedar see differently. */
export interface JsonReading<Num> {
  /** Undefined refuses the number. `isWhole`: digits alone, no fraction, exponent or `-0`. */
  number(digits: string, isWhole: boolean): Num | undefined
  /** Whether a string may hold half of a surrogate pair. */
  readonly mayBeIllFormed: boolean
}

const MAX_DEPTH = 128

const CEDAR: JsonReading<number | bigint> = {
  number: (digits, isWhole) => (isWhole ? parseLong(digits) : undefined),
  mayBeIllFormed: false,
}

/**
 * Reads JSON without losing anything Cedar can tell apart: whole numbers exactly (a bigint beyond 2^53), `__proto__` as a
 * key. Refuses what `JSON.parse` would bend: fractions, integers beyond 64 bits, duplicate keys, lone surrogates.
 *
 * @throws `BW_AUTHZ_DATA_INVALID` with the offset of the first fault.
 */
export function readJson(text: string): Json {
  return readJsonAs(text, CEDAR)
}

/**
 * Reads JSON with a reading of one's own. Whatever that is, duplicate keys and nesting deeper than 128 are refused.
 *
 * @throws `BW_AUTHZ_DATA_INVALID` with the offset of the first fault.
 */
export function readJsonAs<Num>(text: string, reading: JsonReading<Num>): JsonOf<Num> {
  return new JsonReader(text, reading).document()
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
/** A string's extent; `JSON.parse` then checks its inside. */
const STRING = /"(?:[^"\\]|\\.)*"/y
/** What may not stand in a string as it is, or stands for something else. */
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const NOT_PLAIN = /[\\\u0000-\u001f]/
const QUOTE = 0x22

/** What objects inherit: nothing, so every key is an ordinary one. Those without a prototype at all are slower to fill. */
const NOTHING: object = Object.freeze(Object.create(null))

class JsonReader<Num> {
  readonly #text: string
  readonly #reading: JsonReading<Num>
  #at = 0

  constructor(text: string, reading: JsonReading<Num>) {
    this.#text = text
    this.#reading = reading
  }

  document(): JsonOf<Num> {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) throw this.#fault('text after the value')
    return value
  }

  #value(depth: number): JsonOf<Num> {
    if (depth > MAX_DEPTH) throw this.#fault(`nested deeper than ${MAX_DEPTH}`)
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    if (first === 't') return this.#word('true', true)
    if (first === 'f') return this.#word('false', false)
    return first === 'n' ? this.#word('null', null) : this.#number()
  }

  #object(depth: number): JsonObjectOf<Num> {
    const object = Object.create(NOTHING) as Record<string, JsonOf<Num>>
    this.#at += 1
    if (this.#take('}')) return object
    do {
      this.#space()
      const key = this.#string()
      if (key in object) throw this.#fault(`key ${JSON.stringify(key)} appears twice`)
      if (!this.#take(':')) throw this.#fault('expected a colon')
      object[key] = this.#value(depth + 1)
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#fault('expected a comma or a closing brace')
    return object
  }

  #array(depth: number): JsonOf<Num>[] {
    const elements: JsonOf<Num>[] = []
    this.#at += 1
    if (this.#take(']')) return elements
    do elements.push(this.#value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#fault('expected a comma or a closing bracket')
    return elements
  }

  #string(): string {
    const value = this.#plainString() ?? this.#escapedString()
    if (!this.#reading.mayBeIllFormed && !value.isWellFormed())
      throw this.#fault('a string holds half of a surrogate pair')
    return value
  }

  /** Nearly all are. */
  #plainString(): string | undefined {
    const start = this.#at + 1
    const end = this.#text.charCodeAt(this.#at) === QUOTE ? this.#text.indexOf('"', start) : -1
    const inside = this.#text.slice(start, end)
    if (end < 0 || NOT_PLAIN.test(inside)) return undefined
    this.#at = end + 1
    return inside
  }

  #escapedString(): string {
    STRING.lastIndex = this.#at
    const raw = STRING.exec(this.#text)?.[0]
    if (raw === undefined) throw this.#fault('expected a string')
    this.#at = STRING.lastIndex
    try {
      return JSON.parse(raw) as string
    } catch {
      throw this.#fault('a string holds a bare control character or an unknown escape')
    }
  }

  #number(): Num {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#fault('expected a value')
    const isWhole = match[1] === undefined && match[2] === undefined && match[0] !== '-0'
    const value = this.#reading.number(match[0], isWhole)
    if (value === undefined) throw this.#fault(`${match[0]} is not a whole number of 64 bits`)
    this.#at = NUMBER.lastIndex
    return value
  }

  #word<Word>(word: string, value: Word): Word {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('expected a value')
    this.#at += word.length
    return value
  }

  #space(): void {
    const text = this.#text
    let code = text.charCodeAt(this.#at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = text.charCodeAt((this.#at += 1))
  }

  #take(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #fault(what: string): AuthzError {
    return new AuthzError('BW_AUTHZ_DATA_INVALID', `JSON at offset ${this.#at}: ${what}`, {
      details: { offset: this.#at },
    })
  }
}
