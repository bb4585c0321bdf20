import { parseDatetime, parseDuration, type Datetime, type Duration } from './datetime.ts'
import { parseDecimal, type Decimal } from './decimal.ts'
import { parseIpAddress, type IpAddress } from './ip-address.ts'
import type { ObjectValue, Value } from './value.ts'

/** Functions that make an extension value of a string, by Cedar's name. */
export const constructors: ReadonlyMap<string, (text: string) => Value | undefined> = new Map<
  string,
  (text: string) => Value | undefined
>([
  ['decimal', parseDecimal],
  ['ip', parseIpAddress],
  ['datetime', parseDatetime],
  ['duration', parseDuration],
])

/** One method: undefined for arguments of another type, another count, or a result out of range. */
export type ExtensionMethod = (args: readonly Value[]) => Value | undefined

type Kinds = { decimal: Decimal; ipaddr: IpAddress; datetime: Datetime; duration: Duration }

function as<Kind extends keyof Kinds>(kind: Kind, value: Value | undefined): Kinds[Kind] | undefined {
  return typeof value === 'object' && value.kind === kind ? (value as ObjectValue as Kinds[Kind]) : undefined
}

/** A method of one receiver and no argument. */
function unary<Kind extends keyof Kinds>(
  kind: Kind,
  apply: (value: Kinds[Kind]) => Value | undefined,
): ExtensionMethod {
  return (args) => {
    const receiver = as(kind, args[0])
    return receiver === undefined || args.length !== 1 ? undefined : apply(receiver)
  }
}

/** A method of one receiver and one argument. */
function binary<Left extends keyof Kinds, Right extends keyof Kinds>(
  left: Left,
  right: Right,
  apply: (left: Kinds[Left], right: Kinds[Right]) => Value | undefined,
): ExtensionMethod {
  return (args) => {
    const [receiver, argument] = [as(left, args[0]), as(right, args[1])]
    if (receiver === undefined || argument === undefined || args.length !== 2) return undefined
    return apply(receiver, argument)
  }
}

/** Methods of extension values, by Cedar's name. */
export const methods: ReadonlyMap<string, ExtensionMethod> = new Map<string, ExtensionMethod>([
  ['lessThan', binary('decimal', 'decimal', (a, b) => a.scaled < b.scaled)],
  ['lessThanOrEqual', binary('decimal', 'decimal', (a, b) => a.scaled <= b.scaled)],
  ['greaterThan', binary('decimal', 'decimal', (a, b) => a.scaled > b.scaled)],
  ['greaterThanOrEqual', binary('decimal', 'decimal', (a, b) => a.scaled >= b.scaled)],
  ['isIpv4', unary('ipaddr', (ip) => ip.isIpv4())],
  ['isIpv6', unary('ipaddr', (ip) => !ip.isIpv4())],
  ['isLoopback', unary('ipaddr', (ip) => ip.isLoopback())],
  ['isMulticast', unary('ipaddr', (ip) => ip.isMulticast())],
  ['isInRange', binary('ipaddr', 'ipaddr', (ip, range) => ip.isInRange(range))],
  ['offset', binary('datetime', 'duration', (time, by) => time.offset(by))],
  ['durationSince', binary('datetime', 'datetime', (later, earlier) => later.durationSince(earlier))],
  ['toDate', unary('datetime', (time) => time.toDate())],
  ['toTime', unary('datetime', (time) => time.toTime())],
  ['toMilliseconds', unary('duration', (span) => span.in(1))],
  ['toSeconds', unary('duration', (span) => span.in(1000))],
  ['toMinutes', unary('duration', (span) => span.in(60_000))],
  ['toHours', unary('duration', (span) => span.in(3_600_000))],
  ['toDays', unary('duration', (span) => span.in(86_400_000))],
])

/** Calls an extension function by name. Undefined when it fails; `isKnownFunction` tells a failure from an unknown name. */
export function callExtension(name: string, args: readonly Value[]): Value | undefined {
  const method = methods.get(name)
  if (method !== undefined) return method(args)
  const [text] = args
  return typeof text === 'string' && args.length === 1 ? constructors.get(name)?.(text) : undefined
}

export function isKnownFunction(name: string): boolean {
  return methods.has(name) || constructors.has(name)
}
