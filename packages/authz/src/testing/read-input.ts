import { AuthzError } from '../errors.ts'

/** A mapping of a test file, matrix or log: read, not yet understood. */
export type Fields = Readonly<Record<string, unknown>>

/** `BW_AUTHZ_TEST_INVALID` with the place of the fault. */
export function badInput(where: string, what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_TEST_INVALID', `${where}: ${what}`)
}

/** A mapping that holds nothing but the keys allowed. A misspelt expectation would expect nothing. */
export function fieldsOf(value: unknown, where: string, allowed?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badInput(where, 'expected a mapping')
  const unknown = Object.keys(value).filter((key) => allowed?.includes(key) === false)
  if (unknown.length > 0) {
    throw badInput(
      where,
      `${unknown.join(', ')}: unknown; there are ${allowed?.join(', ') ?? 'no keys here'}`,
    )
  }
  return value as Fields
}

export function listOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw badInput(where, 'expected a list')
  return value as readonly unknown[]
}

export function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw badInput(where, 'expected a text')
  return value
}

export function textsOf(value: unknown, where: string): readonly string[] {
  return listOf(value, where).map((one, index) => textOf(one, `${where}[${index}]`))
}
