import type { DatabaseSync } from 'node:sqlite'
import type { VisibleRows } from '@breakwater/authz/guard'
import { errors } from './errors.ts'

/** A condition for `WHERE` and its parameters, made of the policies. */
export type SqlFilter = ReturnType<VisibleRows['where']>

/** Which part of a list is wanted. */
export interface Page {
  readonly limit: number
  readonly offset: number
}

/** A page of a list, and the length of the whole as far as it may be seen. */
export interface Listed<Row> {
  readonly rows: readonly Row[]
  readonly total: number
}

/** `?limit=20&offset=0`, at most 100 at a time. Throws `SHOP_QUERY_INVALID`. */
export function pageOf(query: URLSearchParams): Page {
  const read = (name: string, fallback: string, max: number): number => {
    const text = query.get(name) ?? fallback
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value <= max) return value
    throw errors.SHOP_QUERY_INVALID(`${name} must be a whole number up to ${max}`)
  }
  return { limit: read('limit', '20', 100), offset: read('offset', '0', 1_000_000) }
}

/** The condition with values as SQLite takes them. */
export function conditionOf({ text, parameters }: SqlFilter) {
  return { text, values: parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value)) }
}

/** Reads a page, newest first. The same condition makes the page and the count, so the count tells no more than the list. */
export function listed<Row>(
  database: DatabaseSync,
  table: 'orders' | 'invoices',
  visible: SqlFilter,
  { limit, offset }: Page,
  read: (row: unknown) => Row,
): Listed<Row> {
  const { text, values } = conditionOf(visible)
  const rows = database
    .prepare(`SELECT * FROM ${table} WHERE ${text} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`)
    .all(...values, limit, offset)
  const count = database.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${text}`).get(...values)
  return { rows: rows.map(read), total: Number(count?.['n']) }
}
