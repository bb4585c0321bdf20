import { errors } from './errors.ts'

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// Above U+00FF a character has no latin1 byte, and cutting it down would make one: U+010A would become LF.
// oxlint-disable-next-line no-control-regex -- finding control bytes is the point
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/**
 * The fields of a message, in order of arrival. Names are kept in lower case (as HTTP/2 and most proxies send them);
 * look-ups accept any case but are fastest in lower case. Values are latin1 text without surrounding white space.
 * Names and values that come from outside the parser are checked here, once, so that no serialiser need look again.
 */
export class FieldList {
  /** `[name, value, name, value …]`. For serialisers and other hot loops; change it through the methods only. */
  readonly flat: string[] = []

  /** Fields, repeated ones counted each. */
  get size(): number {
    return this.flat.length / 2
  }

  /** The first value under this name, or undefined. */
  get(name: string): string | undefined {
    const { flat } = this
    for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return flat[at + 1]
    const lower = lowerOf(name)
    return lower === name ? undefined : this.get(lower)
  }

  /** Every value under this name, in order. */
  getAll(name: string): string[] {
    const { flat } = this
    const lower = lowerOf(name)
    const values: string[] = []
    for (let at = 0; at < flat.length; at += 2) if (flat[at] === lower) values.push(flat[at + 1] ?? '')
    return values
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /**
   * Adds a field after the others, whatever is there already.
   *
   * @throws `BW_HTTP_FIELD_INVALID` when the name is no token or the value holds a control byte or non-latin1 text.
   */
  append(name: string, value: string): void {
    this.flat.push(checked(name, value), value)
  }

  /**
   * Leaves exactly one field of this name: in the place of the first, or at the end.
   *
   * @throws `BW_HTTP_FIELD_INVALID` as `append` does.
   */
  set(name: string, value: string): void {
    this.put(checked(name, value), value)
  }

  /**
   * As `set`, unchecked: for what is known to be a name in lower case and a value without control bytes, such as one that the
   * parser has read or that was made of digits.
   */
  put(name: string, value: string): void {
    const { flat } = this
    for (let at = 0; at < flat.length; at += 2) {
      if (flat[at] !== name) continue
      flat[at + 1] = value
      this.#deleteFrom(name, at + 2)
      return
    }
    flat.push(name, value)
  }

  /** Removes every field of this name. Returns whether there was one. */
  delete(name: string): boolean {
    const before = this.flat.length
    this.#deleteFrom(lowerOf(name), 0)
    return this.flat.length < before
  }

  *[Symbol.iterator](): Generator<[name: string, value: string], void, undefined> {
    const { flat } = this
    for (let at = 0; at < flat.length; at += 2) yield [flat[at] ?? '', flat[at + 1] ?? '']
  }

  /** Makes a list from pairs; names may have any case. @throws `BW_HTTP_FIELD_INVALID`. */
  static from(pairs: Iterable<readonly [name: string, value: string]>): FieldList {
    const list = new FieldList()
    for (const [name, value] of pairs) list.append(name, value)
    return list
  }

  #deleteFrom(lower: string, start: number): void {
    const { flat } = this
    let first = start
    while (first < flat.length && flat[first] !== lower) first += 2
    if (first >= flat.length) return
    let keep = first
    for (let at = first; at < flat.length; at += 2) {
      const name = flat[at] ?? ''
      if (name === lower) continue
      flat[keep] = name
      flat[keep + 1] = flat[at + 1] ?? ''
      keep += 2
    }
    flat.length = keep
  }
}

/** Names that have passed, in lower case. The same few are set on every message; a flood of others finds no place. */
const passed = new Map<string, string>()
const MAX_PASSED = 256

/** The name in lower case. @throws `BW_HTTP_FIELD_INVALID`. */
function checked(name: string, value: string): string {
  let lower = passed.get(name)
  if (lower === undefined) {
    if (!NAME.test(name)) throw errors.BW_HTTP_FIELD_INVALID(`not a field name: ${JSON.stringify(name)}`)
    lower = name.toLowerCase()
    if (passed.size < MAX_PASSED && name.length <= 64) passed.set(name, lower)
  }
  if (BAD_VALUE.test(value))
    throw errors.BW_HTTP_FIELD_INVALID(`the value of ${name} holds a character that no field may hold`)
  return lower
}

/** What was looked up, in lower case: most look-ups are of the same few names, and miss. */
const lowered = new Map<string, string>()

function lowerOf(name: string): string {
  let lower = lowered.get(name)
  if (lower === undefined) {
    lower = name.toLowerCase()
    if (lowered.size < MAX_PASSED && name.length <= 64) lowered.set(name, lower)
  }
  return lower
}
