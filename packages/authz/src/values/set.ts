import { keyOf } from './equality.ts'
import type { Value } from './value.ts'

/** A Cedar set: no order, no duplicates, deep equality. Membership costs one hash look-up, whatever the size. */
export class CedarSet {
  readonly kind = 'set' as const
  /** The distinct elements, in no particular order. */
  readonly elements: readonly Value[]
  /** Primitive elements as they are, everything else by key; a string and a key never meet, they have two sets. */
  readonly #primitives: ReadonlySet<Value>
  readonly #keys: ReadonlySet<string>
  #key: string | undefined

  constructor(elements: Iterable<Value>) {
    const distinct: Value[] = []
    const primitives = new Set<Value>()
    const keys = new Set<string>()
    for (const element of elements) {
      if (typeof element !== 'object') {
        if (primitives.has(element)) continue
        primitives.add(element)
      } else {
        const key = keyOf(element)
        if (keys.has(key)) continue
        keys.add(key)
      }
      distinct.push(element)
    }
    this.elements = distinct
    this.#primitives = primitives
    this.#keys = keys
  }

  has(value: Value): boolean {
    return typeof value === 'object' ? this.#keys.has(value.key) : this.#primitives.has(value)
  }

  hasAll(other: CedarSet): boolean {
    return other.elements.every((element) => this.has(element))
  }

  hasAny(other: CedarSet): boolean {
    const [few, many] = this.elements.length < other.elements.length ? [this, other] : [other, this]
    return few.elements.some((element) => many.has(element))
  }

  get key(): string {
    this.#key ??= `[${this.elements.map(keyOf).sort().join()}]`
    return this.#key
  }
}
