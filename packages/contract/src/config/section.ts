import { z } from 'zod'

import { field, fieldInfo } from './fields.ts'
import type { UnitSuffix } from './fields.ts'

type Shape = Readonly<Record<string, z.ZodType>>

type KeyWithUnit<Key extends string, Schema> = Schema extends { readonly suffix?: infer Suffix }
  ? [Exclude<Suffix, undefined>] extends [UnitSuffix]
    ? `${Key}${Exclude<Suffix, undefined>}`
    : Key
  : Key

/** The resolved form of a section: every key that had text with a unit carries that unit in its name. */
export type Resolved<Fields extends Shape> = {
  readonly [Key in keyof Fields & string as KeyWithUnit<Key, Fields[Key]>]: z.output<Fields[Key]>
}

export type Simplified<T> = { readonly [Key in keyof T]: T[Key] } & {}

/**
 * An object of known keys. In the file a key has no unit (`timeout: 2s`); resolved, it ends in it (`timeoutMs: 2000`).
 * Every key is present in the resolved object.
 */
export function section<Fields extends Shape>(fields: Fields) {
  const names = Object.entries(fields).map(
    ([key, schema]) => [key, key + (fieldInfo(schema)?.suffix ?? '')] as const,
  )
  return z
    .strictObject(fields, {
      error: (issue) => (issue.code === 'invalid_type' ? 'expected a mapping' : undefined),
    })
    .transform((value): Resolved<Fields> => {
      const parsed = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(names.map(([key, name]) => [name, parsed[key]])) as Resolved<Fields>
    })
}

/** A section that may be left out: then everything in it has its default. */
export function subsection<Fields extends Shape>(description: string, fields: Fields) {
  return section(fields)
    .prefault({} as never)
    .meta({ description })
}

/** A control that is switched off: it neither decides nor counts. */
export interface Off {
  readonly mode: 'off'
}
const OFF: Off = Object.freeze({ mode: 'off' })

const modeField = field(
  z.enum(['enforce', 'dark', 'off'], 'expected one of enforce, dark, off').prefault('enforce'),
  '`enforce` acts; `dark` decides and counts but lets everything pass; `off` does nothing (as does `false` for the whole control).',
  { suffix: '', kind: 'enforce | dark | off' },
)

/** A resolved control: off, or on (`enforce`) or only counting (`dark`) with all its settings. */
export type Control<Settings> = Off | Simplified<{ readonly mode: 'enforce' | 'dark' } & Settings>

function controlSection<Fields extends Shape>(fields: Fields) {
  return section({ mode: modeField, ...fields }).transform((value) => switchable<Resolved<Fields>>(value))
}

function switchable<Settings>(value: unknown): Control<Settings> {
  const settings = value as Control<Settings>
  return settings.mode === 'off' ? OFF : settings
}

const controlInfo = { suffix: '', kind: 'control', isControl: true } as const

/** A control all of whose settings have defaults: `true`, `false` or a mapping. */
export function control<Fields extends Shape>(description: string, value: boolean, fields: Fields) {
  const settings = controlSection(fields)
  const toggle = z.boolean().transform((isOn): Control<Resolved<Fields>> => (isOn ? settings.parse({}) : OFF))
  return field(z.union([toggle, settings]).prefault(value as never), description, controlInfo)
}

/** A control that cannot be on without being told something: `false` (the default) or a mapping. */
export function controlWithoutDefault<Fields extends Shape>(description: string, fields: Fields) {
  const toggle = z.literal(false).transform((): Control<Resolved<Fields>> => OFF)
  return field(z.union([toggle, controlSection(fields)]).prefault(false as never), description, controlInfo)
}

/** Something offered only when it is asked for: `true`, `false` (the default) or a mapping. Resolved, it is there or `undefined`. */
export function offer<Fields extends Shape>(description: string, fields: Fields) {
  const settings = section(fields)
  const toggle = z
    .boolean()
    .transform((isOn): Resolved<Fields> | undefined => (isOn ? settings.parse({}) : undefined))
  return field(z.union([toggle, settings]).prefault(false as never), description, {
    suffix: '',
    kind: 'true or mapping',
    mayBeOff: true,
  })
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/
const nameRule = 'a name is 1 to 63 small letters, digits and hyphens, and starts with a letter'
export const nameSchema = z.string().regex(NAME, nameRule)

/** A mapping from names to sections; resolved, a list in the order of the file whose members know their `name`. */
export function named<Schema extends z.ZodType>(description: string, member: Schema) {
  return z
    .record(nameSchema, member, {
      error: (issue) => (issue.code === 'invalid_type' ? 'expected a mapping from names' : undefined),
    })
    .transform((members) =>
      Object.entries(members as Readonly<Record<string, z.output<Schema>>>).map(
        ([name, value]): Simplified<{ readonly name: string } & z.output<Schema>> =>
          ({ name, ...(value as object) }) as Simplified<{ readonly name: string } & z.output<Schema>>,
      ),
    )
    .meta({ description })
}
