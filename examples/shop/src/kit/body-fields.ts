import { acceptOnly, isRefused } from '@breakwater/authz/guard'
import { z } from 'zod'
import { errors } from './errors.ts'

type Accept = ReturnType<typeof acceptOnly>

const known = new WeakMap<z.ZodType, Accept>()

/**
 * A body as its schema is to see it, before the schema: nothing but the fields that the schema declares, and at no depth a role, an
 * owner or a tenant, which only the server assigns. So a schema that was written too leniently lets nothing through.
 *
 * @throws `SHOP_FIELD_REFUSED`; RangeError, at the first body, for a schema that declares such a field itself.
 */
export function declaredFields(value: unknown, schema: z.ZodType): unknown {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!(schema instanceof z.ZodObject) || !isMapping) return value
  let accept = known.get(schema)
  if (accept === undefined) {
    accept = acceptOnly(Object.keys(schema.shape))
    known.set(schema, accept)
  }
  const accepted = accept(value)
  if (!isRefused(accepted)) return accepted
  throw errors.SHOP_FIELD_REFUSED('the body holds a field that is not for the caller to set')
}
