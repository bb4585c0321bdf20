import { AuthzError } from '../errors.ts'
import type { EntityInput, ValueInput } from '../entities/read-entities.ts'
import { digitsOf, isDocumentObject, valueIn, type JsonDocument } from '../literals/json-document.ts'
import type { AuthzSchema, EntityTypeSchema, RecordType, SchemaType } from '../schema/schema.ts'
import { parseLong } from '../values/long.ts'

/** Where the rows of somebody else's answer hold what policies ask for. A place is a name, or names joined by dots. */
export interface RowShape {
  /** Entity type of a row. */
  readonly type: string
  /** Place of its id. */
  readonly id: string
  /** Places of attributes that a row holds under another name than the schema has. */
  readonly attributes: Readonly<Record<string, string>>
}

/**
 * Makes entities of rows, by the schema alone: attributes that it does not know are left out, a text or a whole number stands for an
 * entity where it wants one, and `null` for what is not there.
 */
export class RowReader {
  readonly #shape: RowShape
  readonly #entityType: EntityTypeSchema
  readonly #id: readonly string[]
  readonly #places: ReadonlyMap<string, readonly string[]>

  /** @throws `BW_AUTHZ_OPTIONS_INVALID` for a type or an attribute that the schema does not know. */
  constructor({ entityTypes }: AuthzSchema, shape: RowShape) {
    const entityType = entityTypes.get(shape.type)
    if (entityType === undefined) throw invalid(`the schema does not know the entity type ${shape.type}`)
    const unknown = Object.keys(shape.attributes).find((name) => !entityType.shape.attributes.has(name))
    if (unknown !== undefined) throw invalid(`${shape.type} has no attribute ${unknown} in the schema`)
    this.#shape = shape
    this.#entityType = entityType
    this.#id = shape.id.split('.')
    this.#places = new Map(
      Object.entries(shape.attributes).map(([name, place]) => [name, place.split('.')] as const),
    )
  }

  /** The id of a row; undefined when it holds none that is a text or a whole number. */
  idOf(row: JsonDocument): string | undefined {
    const id = textOf(valueIn(row, this.#id))
    return id === '' ? undefined : id
  }

  /** The row as policies see it; undefined when what it holds does not fit the schema. */
  entity(row: JsonDocument, id: string): EntityInput | undefined {
    const attrs = this.#record(row, this.#entityType.shape, this.#places)
    return attrs === undefined ? undefined : { uid: { type: this.#shape.type, id }, attrs }
  }

  /** Like what follows, undefined for what does not fit. A row that does not is no exception: thrown, it would cost ten times as much. */
  #record(
    row: JsonDocument | undefined,
    { attributes }: RecordType,
    places?: ReadonlyMap<string, readonly string[]>,
  ): Readonly<Record<string, ValueInput>> | undefined {
    if (!isDocumentObject(row)) return undefined
    const record = Object.create(null) as Record<string, ValueInput>
    for (const [name, { type, required }] of attributes) {
      const value = valueIn(row, places?.get(name) ?? [name])
      if (value === undefined || value === null) {
        if (required) return undefined
        continue
      }
      const read = this.#value(value, type)
      if (read === undefined) return undefined
      record[name] = read
    }
    return record
  }

  #value(value: JsonDocument, type: SchemaType): ValueInput | undefined {
    switch (type.kind) {
      case 'boolean':
        return typeof value === 'boolean' ? value : undefined
      case 'string':
        return typeof value === 'string' ? value : undefined
      case 'long':
        return longOf(value)
      case 'extension':
        return typeof value === 'string' ? value : digitsOf(value)
      case 'entity': {
        const id = textOf(value)
        return id === undefined ? undefined : { __entity: { type: type.name, id } }
      }
      case 'set':
        return Array.isArray(value) ? this.#set(value, type.element) : undefined
      case 'record':
        return this.#record(value, type)
    }
  }

  #set(list: readonly JsonDocument[], type: SchemaType): readonly ValueInput[] | undefined {
    const set: ValueInput[] = []
    for (const element of list) {
      const read = this.#value(element, type)
      if (read === undefined) return undefined
      set.push(read)
    }
    return set
  }
}

const WHOLE = /^-?\d{1,40}$/

function longOf(value: JsonDocument): number | bigint | undefined {
  const digits = digitsOf(value)
  return digits !== undefined && WHOLE.test(digits) && digits !== '-0' ? parseLong(digits) : undefined
}

function textOf(value: JsonDocument | undefined): string | undefined {
  if (typeof value === 'string') return value
  const digits = digitsOf(value)
  return digits !== undefined && WHOLE.test(digits) ? digits : undefined
}

function invalid(what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_OPTIONS_INVALID', what)
}
