import { errors } from '../errors.ts'

/**
 * Every number among `values` must be above 0, or at least 0 where `mayBeZero` says so. NaN never passes.
 *
 * @throws `BW_HTTP_OPTIONS_INVALID` with all that are not.
 */
export function checkNumbers(what: string, values: object, mayBeZero: (name: string) => boolean): void {
  const problems: string[] = []
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (typeof value !== 'number' || value > 0) continue
    if (value === 0 && mayBeZero(name)) continue
    problems.push(`${name} must be ${mayBeZero(name) ? '0 or more' : 'above 0'}, got ${value}`)
  }
  if (problems.length > 0) throw errors.BW_HTTP_OPTIONS_INVALID(`${what}: ${problems.join('; ')}`)
}
