import { z } from 'zod'

import { fieldInfo } from './fields.ts'
import type { FieldInfo } from './fields.ts'

/** A place in the schema, as tools see it: without codecs, defaults and toggles around it. */
export interface SchemaNode {
  /** The schema of this place, with everything around it. */
  readonly schema: z.ZodType
  readonly info: FieldInfo | undefined
  readonly description: string | undefined
  /** Keys of a section or control. */
  readonly fields: ReadonlyMap<string, z.ZodType> | undefined
  /** What each name of a mapping from names stands for. */
  readonly member: z.ZodType | undefined
  /** What each item of a list is. */
  readonly item: z.ZodType | undefined
  /** As it would be written; `undefined` when there is none. */
  readonly default: unknown
  readonly isRequired: boolean
}

const nodes = new WeakMap<z.ZodType, SchemaNode>()

/** Looks through prefaults, optionals, pipes and toggles. Remembered for each schema. */
export function inspect(schema: z.ZodType): SchemaNode {
  const known = nodes.get(schema)
  if (known !== undefined) return known
  let inner = schema
  let info = fieldInfo(schema)
  let description = schema.description
  let value: unknown
  let isRequired = true
  let container = containerOf(inner)
  while (container === undefined) {
    const next = peel(inner)
    if (next === undefined) break
    if (inner instanceof z.ZodPrefault && value === undefined) value = inner.def.defaultValue
    if (inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) isRequired = false
    inner = next
    info ??= fieldInfo(inner)
    description ??= inner.description
    container = containerOf(inner)
  }
  const node = {
    schema,
    info,
    description,
    fields: container instanceof Map ? container : undefined,
    member: container instanceof z.ZodRecord ? (container.valueType as z.ZodType) : undefined,
    item: container instanceof z.ZodArray ? (container.element as z.ZodType) : undefined,
    default: value,
    isRequired,
  }
  nodes.set(schema, node)
  return node
}

function peel(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return schema.unwrap() as z.ZodType
  return schema instanceof z.ZodPipe ? (schema.in as z.ZodType) : undefined
}

/** The fields of an object (of all objects, where it may be one of several), a record or a list. */
function containerOf(schema: z.ZodType): Map<string, z.ZodType> | z.ZodRecord | z.ZodArray | undefined {
  if (schema instanceof z.ZodObject) return new Map(Object.entries(schema.shape))
  if (schema instanceof z.ZodRecord || schema instanceof z.ZodArray) return schema
  if (!(schema instanceof z.ZodUnion)) return undefined
  const fields = new Map<string, z.ZodType>()
  for (const option of schema.options as readonly z.ZodType[]) {
    let inner: z.ZodType | undefined = option
    while (inner !== undefined && !(inner instanceof z.ZodObject)) inner = peel(inner)
    for (const [key, field] of Object.entries(inner?.shape ?? {}))
      if (!fields.has(key)) fields.set(key, field)
  }
  return fields.size === 0 ? undefined : fields
}

/** One step down: a field of a section, a member of a mapping from names, an item of a list. */
export function child(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const { fields, member, item } = inspect(schema)
  if (typeof key === 'number') return item
  return typeof key === 'string' ? (fields?.get(key) ?? member) : undefined
}

/** The place at a path, or `undefined` where the schema has none. */
export function nodeAt(root: z.ZodType, path: readonly PropertyKey[]): SchemaNode | undefined {
  let schema: z.ZodType | undefined = root
  for (const key of path) {
    schema = child(schema, key)
    if (schema === undefined) return undefined
  }
  return inspect(schema)
}

/** Whether values at this path, or anywhere above it, must never be repeated in a message. */
export function isSecretPath(root: z.ZodType, path: readonly PropertyKey[]): boolean {
  return path.some((_, index) => nodeAt(root, path.slice(0, index + 1))?.info?.isSecret === true)
}
