import type { IpAddress } from './ip-address.ts'
import { EntityUid } from '../entities/uid.ts'
import type { Long } from './long.ts'
import type { Value } from './value.ts'

/** A number the way `JSON.stringify` writes it, digit by digit: the way to hand 64 bits to the official engine. */
const rawJson: (text: string) => unknown = Reflect.get(JSON, 'rawJSON')

const call = (fn: string, ...args: unknown[]): object => ({ __extn: { fn, args } })
const durationCall = (ms: Long): object => call('duration', `${ms}ms`)

/** A value in Cedar's JSON format, exact when passed through `JSON.stringify`. */
export function toCedarJson(value: Value): unknown {
  if (typeof value === 'bigint') return rawJson(`${value}`)
  if (typeof value !== 'object') return value
  switch (value.kind) {
    case 'entity':
      return { __entity: uidJson(value) }
    case 'set':
      return value.elements.map(toCedarJson)
    case 'record':
      return fieldsJson(value.fields)
    case 'decimal':
      return call('decimal', decimalText(value.scaled))
    case 'ipaddr':
      return call('ip', ipText(value))
    case 'datetime':
      // Most 64-bit instants have no spelling as a date.
      return call('offset', call('datetime', '1970-01-01'), durationCall(value.epochMs))
    case 'duration':
      return durationCall(value.ms)
  }
}

export function uidJson({ type, id }: EntityUid): { type: string; id: string } {
  return { type, id }
}

/** An object that keeps every name, `__proto__` included. */
export function fieldsJson(fields: ReadonlyMap<string, Value>): object {
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, value] of fields) object[name] = toCedarJson(value)
  return object
}

export function decimalText(scaled: Long): string {
  const digits = `${scaled < 0 ? -BigInt(scaled) : scaled}`.padStart(5, '0')
  return `${scaled < 0 ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`
}

export function ipText({ bits, address, prefix }: IpAddress): string {
  const [count, width, radix, separator] =
    bits === 32 ? ([4, 8n, 10, '.'] as const) : ([8, 16n, 16, ':'] as const)
  const mask = (1n << width) - 1n
  const parts = Array.from({ length: count }, (_, index) =>
    ((address >> (BigInt(count - 1 - index) * width)) & mask).toString(radix),
  )
  return `${parts.join(separator)}${prefix === bits ? '' : `/${prefix}`}`
}
