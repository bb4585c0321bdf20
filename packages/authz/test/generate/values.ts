import type { Dice } from './dice.ts'
import {
  BAD_DATETIMES,
  BAD_DECIMALS,
  BAD_DURATIONS,
  BAD_IPS,
  DATETIMES,
  DECIMALS,
  DURATIONS,
  IPS,
  LONGS,
  STRINGS,
} from './edges.ts'
import { IDS, type Field, type Type } from './world.ts'

/** JSON of a case, with bigint for integers. */
export type CaseJson = boolean | bigint | string | readonly CaseJson[] | { readonly [name: string]: CaseJson }

/** The function that makes a value of an extension type, and good and bad arguments for it. */
export const EXTENSIONS = {
  decimal: { fn: 'decimal', good: DECIMALS, bad: BAD_DECIMALS },
  ipaddr: { fn: 'ip', good: IPS, bad: BAD_IPS },
  datetime: { fn: 'datetime', good: DATETIMES, bad: BAD_DATETIMES },
  duration: { fn: 'duration', good: DURATIONS, bad: BAD_DURATIONS },
} as const

export function uidJson(type: string, id: string): { type: string; id: string } {
  return { type, id }
}

/** Data of a type. `implicit` uses the forms that only a schema makes readable. */
export function valueJson(dice: Dice, type: Type, implicit: boolean): CaseJson {
  switch (type.kind) {
    case 'Bool':
      return dice.chance(50)
    case 'Long':
      return dice.pick(LONGS)
    case 'String':
      return dice.pick(STRINGS)
    case 'Entity': {
      const uid = uidJson(type.name, dice.pick(IDS))
      return implicit && dice.chance(50) ? uid : { __entity: uid }
    }
    case 'Set':
      return dice.times(dice.roll(4), () => valueJson(dice, type.element, implicit))
    case 'Record':
      return recordJson(dice, type.fields, implicit)
    case 'decimal':
    case 'ipaddr':
    case 'datetime':
    case 'duration': {
      const { fn, good } = EXTENSIONS[type.kind]
      const arg = dice.pick(good)
      if (implicit && dice.chance(50)) return dice.chance(50) ? arg : { fn, arg }
      return { __extn: dice.chance(80) ? { fn, arg } : { fn, args: [arg] } }
    }
  }
}

export function recordJson(
  dice: Dice,
  fields: readonly Field[],
  implicit: boolean,
): { readonly [name: string]: CaseJson } {
  const object = Object.create(null) as Record<string, CaseJson>
  for (const { name, type, required } of fields) {
    if (required || dice.chance(50)) object[name] = valueJson(dice, type, implicit)
  }
  return object
}

/** Exact JSON text. */
export function jsonText(json: CaseJson | readonly object[] | object): string {
  return JSON.stringify(json, (_, value: unknown) => (typeof value === 'bigint' ? raw(`${value}`) : value))
}

const raw: (text: string) => unknown = Reflect.get(JSON, 'rawJSON')

/** What `cedar-wasm` has to be given so that it receives the text's integers unrounded. */
export function forOfficial(text: string): unknown {
  const reviver = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? raw(context?.source ?? `${value}`) : value
  return JSON.parse(text, reviver)
}
