import { keyOf } from './equality.ts'
import type { Value } from './value.ts'

/** A Cedar record. Fields live in a Map: `__proto__` and `constructor` are ordinary names in a policy. */
export class CedarRecord {
  readonly kind = 'record' as const
  readonly fields: ReadonlyMap<string, Value>
  #key: string | undefined

  constructor(fields: ReadonlyMap<string, Value>) {
    this.fields = fields
  }

  get key(): string {
    this.#key ??= `{${[...this.fields]
      .map(([name, value]) => `${JSON.stringify(name)}:${keyOf(value)}`)
      .sort()
      .join()}}`
    return this.#key
  }
}

/** The record without fields. */
export const EMPTY_RECORD: CedarRecord = new CedarRecord(new Map())
