import type { EntityName } from '../engine/ast.ts'
import { requireShallowText } from '../engine/depth.ts'
import { officialSchema, type Schema as OfficialSchemaText } from '../engine/official.ts'

/** A type as a Cedar schema declares it, common types written out. */
export type SchemaType =
  | { readonly kind: 'boolean' | 'long' | 'string' }
  | { readonly kind: 'set'; readonly element: SchemaType }
  | { readonly kind: 'record'; readonly attributes: ReadonlyMap<string, SchemaAttribute> }
  | { readonly kind: 'entity'; readonly name: string }
  | { readonly kind: 'extension'; readonly name: string }

export interface SchemaAttribute {
  readonly type: SchemaType
  readonly required: boolean
}

export type RecordType = Extract<SchemaType, { readonly kind: 'record' }>

export interface EntityTypeSchema {
  readonly memberOf: ReadonlySet<string>
  readonly shape: RecordType
  readonly tags: SchemaType | undefined
  /** The only ids that exist, for an enumerated type. */
  readonly ids: ReadonlySet<string> | undefined
}

export interface ActionSchema extends EntityName {
  readonly parents: readonly EntityName[]
  readonly principalTypes: ReadonlySet<string>
  readonly resourceTypes: ReadonlySet<string>
  readonly context: RecordType
}

/** What a Cedar schema says, ready for look-ups. */
export interface AuthzSchema {
  /** As it was given, for the official engine. */
  readonly source: OfficialSchemaText
  readonly entityTypes: ReadonlyMap<string, EntityTypeSchema>
  /** By `Type::"id"`. */
  readonly actions: ReadonlyMap<string, ActionSchema>
}

const NO_SHAPE: RecordType = { kind: 'record', attributes: new Map() }

interface RawType {
  readonly type: string
  readonly name?: string
  readonly element?: RawType
  readonly attributes?: Readonly<Record<string, RawType & { readonly required?: boolean }>>
}

/**
 * Reads a Cedar schema (text or JSON) through the official parser.
 *
 * @throws `BW_AUTHZ_SCHEMA_INVALID` when the official parser refuses it.
 */
export function readSchema(source: OfficialSchemaText): AuthzSchema {
  requireShallowText(typeof source === 'string' ? source : JSON.stringify(source), 'BW_AUTHZ_SCHEMA_INVALID')
  const json = officialSchema(source)
  const common = new Map<string, RawType>()
  const qualified = (namespace: string, name: string): string =>
    namespace === '' ? name : `${namespace}::${name}`
  for (const [namespace, definition] of Object.entries(json)) {
    for (const [name, type] of Object.entries(definition.commonTypes ?? {})) {
      common.set(qualified(namespace, name), type)
    }
  }
  const resolve = (raw: RawType): SchemaType => resolveType(raw, common, resolve)
  // Actions that want the same have one type: what is read for one of them serves the others.
  const shapes = new Map<string, RecordType>()
  const shapeOf = (raw: unknown): RecordType => {
    if (raw === undefined) return NO_SHAPE
    const text = JSON.stringify(raw)
    const known = shapes.get(text)
    if (known !== undefined) return known
    const type = resolve(raw as RawType)
    const shape = type.kind === 'record' ? type : NO_SHAPE
    shapes.set(text, shape)
    return shape
  }
  const entityTypes = new Map<string, EntityTypeSchema>()
  const actions = new Map<string, ActionSchema>()
  for (const [namespace, definition] of Object.entries(json)) {
    for (const [name, type] of Object.entries(definition.entityTypes)) {
      const standard = 'enum' in type ? {} : type
      entityTypes.set(qualified(namespace, name), {
        memberOf: new Set(standard.memberOfTypes ?? []),
        shape: shapeOf(standard.shape),
        tags: standard.tags === undefined ? undefined : resolve(standard.tags),
        ids: 'enum' in type ? new Set(type.enum) : undefined,
      })
    }
    const actionType = qualified(namespace, 'Action')
    for (const [id, action] of Object.entries(definition.actions)) {
      actions.set(`${actionType}::${JSON.stringify(id)}`, {
        type: actionType,
        id,
        parents: (action.memberOf ?? []).map((parent) => ({
          type: parent.type ?? actionType,
          id: parent.id,
        })),
        principalTypes: new Set(action.appliesTo?.principalTypes ?? []),
        resourceTypes: new Set(action.appliesTo?.resourceTypes ?? []),
        context: shapeOf(action.appliesTo?.context),
      })
    }
  }
  return { source, entityTypes, actions }
}

function resolveType(
  raw: RawType,
  common: ReadonlyMap<string, RawType>,
  resolve: (raw: RawType) => SchemaType,
): SchemaType {
  switch (raw.type) {
    case 'Set':
      if (raw.element !== undefined) return { kind: 'set', element: resolve(raw.element) }
      break
    case 'Record': {
      const attributes = new Map<string, SchemaAttribute>()
      for (const [name, attribute] of Object.entries(raw.attributes ?? {})) {
        attributes.set(name, { type: resolve(attribute), required: attribute.required ?? true })
      }
      return { kind: 'record', attributes }
    }
    case 'Entity':
      return { kind: 'entity', name: raw.name ?? '' }
    case 'Extension':
      return { kind: 'extension', name: (raw.name ?? '').replace(/^__cedar::/, '') }
    default:
  }
  const alias = common.get(raw.type)
  if (alias !== undefined) return resolve(alias)
  const builtin = raw.type.replace(/^__cedar::/, '')
  switch (builtin) {
    case 'Bool':
    case 'Boolean':
      return { kind: 'boolean' }
    case 'Long':
      return { kind: 'long' }
    case 'String':
      return { kind: 'string' }
    default:
      return { kind: 'extension', name: builtin }
  }
}
