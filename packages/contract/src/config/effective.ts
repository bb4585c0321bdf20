import type { z } from 'zod'

import { inspect } from './walk.ts'

/**
 * The file as it would be with every default written out, still in the words of the file (`timeout: 15s`). Controls
 * that are off stay `false`. Resolving the result gives the same configuration.
 */
export function withDefaults(schema: z.ZodType, value: unknown): unknown {
  const { fields, member, default: fallback } = inspect(schema)
  const written = value === undefined ? fallback : value
  if (member !== undefined && isMapping(written)) {
    return Object.fromEntries(
      Object.entries(written).map(([name, inner]) => [name, withDefaults(member, inner)]),
    )
  }
  if (fields === undefined) return written
  const expanded = written === true ? {} : written
  if (!isMapping(expanded)) return expanded
  const entries = [...fields].map(([key, field]) => [key, withDefaults(field, expanded[key])] as const)
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined))
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
