import { z } from 'zod'

import * as units from './units.ts'

/** What is added to a key when text becomes a number with a unit, or a path becomes an absolute file name. */
export type UnitSuffix = 'Ms' | 'Bytes' | 'PerSecond' | 'BytesPerSecond' | 'File' | 'Dir'

/** What the reference page and `explain` say about a field, beside its description. */
export interface FieldInfo {
  readonly suffix: UnitSuffix | ''
  /** For people: `duration`, `size`, `whole number` … */
  readonly kind: string
  /** For people: `1ms to 1h`. Stands beside the check that enforces it, made from the same values. */
  readonly range?: string
  /** Whether `false` is allowed and means: no limit. */
  readonly mayBeOff?: boolean
  /** A control: `false` or `mode: off` switches it off, `mode: dark` decides and counts only. */
  readonly isControl?: boolean
  /** Values are never repeated in messages. */
  readonly isSecret?: boolean
  /** What is meant when the field is left out and has no default. */
  readonly whenLeftOut?: string
}

const infoOf = new WeakMap<object, FieldInfo>()

/** What was said about this schema when it was made; schemas that are plain containers have nothing. */
export function fieldInfo(schema: object): FieldInfo | undefined {
  return infoOf.get(schema)
}

export interface HasSuffix<Suffix extends UnitSuffix> {
  /** Type level only: renames the key in the resolved type. */
  readonly suffix?: Suffix
}

/** Attaches description and info. Must be the last step: zod's methods make new instances. */
export function field<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  info: FieldInfo,
): Schema {
  const described = schema.meta({ description })
  infoOf.set(described, info)
  return described
}

function withSuffix<Suffix extends UnitSuffix, Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  info: FieldInfo & { readonly suffix: Suffix },
): Schema & HasSuffix<Suffix> {
  return field(schema, description, info)
}

interface Measure<Suffix extends UnitSuffix> {
  readonly suffix: Suffix
  readonly kind: string
  readonly pattern: RegExp
  readonly example: string
  readonly parse: (text: string) => number
  readonly format: (value: number) => string
  /** The number that `false` stands for. */
  readonly off: number
}

const durationMeasure: Measure<'Ms'> = {
  suffix: 'Ms',
  kind: 'duration',
  pattern: units.DURATION,
  example: 'a duration such as 250ms, 2s or 5m',
  parse: units.parseDurationMs,
  format: units.formatDuration,
  off: Number.POSITIVE_INFINITY,
}
const sizeMeasure: Measure<'Bytes'> = {
  suffix: 'Bytes',
  kind: 'size',
  pattern: units.SIZE,
  example: 'a size such as 512B, 16KiB or 10MiB',
  parse: units.parseBytes,
  format: units.formatBytes,
  off: Number.POSITIVE_INFINITY,
}
const rateMeasure: Measure<'PerSecond'> = {
  suffix: 'PerSecond',
  kind: 'rate',
  pattern: units.RATE,
  example: 'a rate such as 10/s, 90/m or 5/h',
  parse: units.parseRatePerSecond,
  format: units.formatRate,
  off: Number.POSITIVE_INFINITY,
}
const byteRateMeasure: Measure<'BytesPerSecond'> = {
  suffix: 'BytesPerSecond',
  kind: 'byte rate',
  pattern: units.BYTE_RATE,
  example: 'a byte rate such as 240B/s or 16KiB/s',
  parse: units.parseBytesPerSecond,
  format: units.formatByteRate,
  off: 0,
}

interface MeasureLimits {
  readonly min?: string
  readonly max?: string
}

function measured<Suffix extends UnitSuffix>(measure: Measure<Suffix>, limits: MeasureLimits) {
  const min = limits.min === undefined ? 0 : measure.parse(limits.min)
  const max = limits.max === undefined ? Number.MAX_SAFE_INTEGER : measure.parse(limits.max)
  const range = rangeText(limits.min, limits.max)
  return z.codec(
    z.string(`expected ${measure.example}`).regex(measure.pattern, `expected ${measure.example}`),
    z.number(),
    {
      decode: (text, context) => {
        const value = measure.parse(text)
        if (value >= min && value <= max) return value
        context.issues.push({ code: 'custom', message: `must be ${range}`, input: text })
        return z.NEVER
      },
      encode: measure.format,
    },
  )
}

function rangeText(min: string | number | undefined, max: string | number | undefined): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  if (min !== undefined) return `${min} or more`
  return max === undefined ? 'any' : `at most ${max}`
}

function measureFields<Suffix extends UnitSuffix>(measure: Measure<Suffix>) {
  const info = (limits: MeasureLimits) => ({
    suffix: measure.suffix,
    kind: measure.kind,
    ...(limits.min === undefined && limits.max === undefined
      ? {}
      : { range: rangeText(limits.min, limits.max) }),
  })
  return {
    /** Left out, it has this value. */
    withDefault: (description: string, value: string, limits: MeasureLimits = {}) =>
      withSuffix(measured(measure, limits).prefault(value), description, info(limits)),
    /** Like `withDefault`; `false` means no limit. */
    withOff: (description: string, value: string | false, limits: MeasureLimits = {}) =>
      withSuffix(
        z.union([z.literal(false).transform(() => measure.off), measured(measure, limits)]).prefault(value),
        description,
        { ...info(limits), mayBeOff: true },
      ),
    optional: (description: string, limits: MeasureLimits = {}) =>
      withSuffix(measured(measure, limits).optional(), description, info(limits)),
    required: (description: string, limits: MeasureLimits = {}) =>
      withSuffix(measured(measure, limits), description, info(limits)),
  }
}

export const duration = measureFields(durationMeasure)
export const size = measureFields(sizeMeasure)
export const rate = measureFields(rateMeasure)
export const byteRate = measureFields(byteRateMeasure)

interface NumberLimits {
  readonly min?: number
  readonly max?: number
}

function whole(limits: NumberLimits) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits
  const range = `a whole number, ${rangeText(min, limits.max)}`
  return z.int(`expected ${range}`).min(min, `must be ${range}`).max(max, `must be ${range}`)
}

const wholeInfo = ({ min = 0, max }: NumberLimits): FieldInfo => ({
  suffix: '',
  kind: 'whole number',
  range: rangeText(min, max),
})

/** Counts. `withOff`: `false` means no limit (infinity). */
export const count = {
  withDefault: (description: string, value: number, limits: NumberLimits = {}) =>
    field(whole(limits).prefault(value), description, wholeInfo(limits)),
  withOff: (description: string, value: number | false, limits: NumberLimits = {}) =>
    field(
      z.union([z.literal(false).transform(() => Number.POSITIVE_INFINITY), whole(limits)]).prefault(value),
      description,
      { ...wholeInfo(limits), mayBeOff: true },
    ),
  optional: (description: string, limits: NumberLimits = {}) =>
    field(whole(limits).optional(), description, wholeInfo(limits)),
  required: (description: string, limits: NumberLimits = {}) =>
    field(whole(limits), description, wholeInfo(limits)),
}

function numberWithin(min: number, max: number) {
  const range = `a number, ${min} to ${max}`
  return z.number(`expected ${range}`).min(min, `must be ${range}`).max(max, `must be ${range}`)
}

/** A share, 0 to 1. */
export const ratio = {
  withDefault: (description: string, value: number) =>
    field(numberWithin(0, 1).prefault(value), description, { suffix: '', kind: 'ratio', range: '0 to 1' }),
  /** `false` means: this share is not looked at (infinity, which no share reaches). */
  withOff: (description: string, value: number | false) =>
    field(
      z
        .union([z.literal(false).transform(() => Number.POSITIVE_INFINITY), numberWithin(0, 1)])
        .prefault(value),
      description,
      { suffix: '', kind: 'ratio', range: '0 to 1', mayBeOff: true },
    ),
}

/** A plain factor. */
export function factor(
  description: string,
  value: number,
  limits: { readonly min: number; readonly max: number },
) {
  const range = rangeText(limits.min, limits.max)
  return field(numberWithin(limits.min, limits.max).prefault(value), description, {
    suffix: '',
    kind: 'number',
    range,
  })
}

export function flag(description: string, value: boolean) {
  return field(z.boolean('expected true or false').prefault(value), description, {
    suffix: '',
    kind: 'true or false',
  })
}

/** One of some words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
  value: NoInfer<Words[number]>,
) {
  const schema = z.enum(words, `expected one of ${words.join(', ')}`)
  return field(schema.prefault(value), description, { suffix: '', kind: words.join(' | ') })
}

const fileName = z.string('expected a file name').min(1, 'expected a file name')

/** A file, relative to the folder of the configuration file; absolute once resolved. */
export const file = {
  required: (description: string) => withSuffix(fileName, description, { suffix: 'File', kind: 'file' }),
  optional: (description: string) =>
    withSuffix(fileName.optional(), description, { suffix: 'File', kind: 'file' }),
  withDefault: (description: string, value: string) =>
    withSuffix(fileName.prefault(value), description, { suffix: 'File', kind: 'file' }),
}

/** A folder, relative to that of the configuration file; absolute once resolved. */
export function folder(description: string, value: string) {
  return withSuffix(z.string('expected a folder').min(1, 'expected a folder').prefault(value), description, {
    suffix: 'Dir',
    kind: 'folder',
  })
}

/** Like {@link folder}, for one that may be left out. */
export function optionalFolder(description: string) {
  return withSuffix(z.string('expected a folder').min(1, 'expected a folder').optional(), description, {
    suffix: 'Dir',
    kind: 'folder',
  })
}
