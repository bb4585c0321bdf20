import type { Value } from '../values/value.ts'
import type { EntityUid } from './uid.ts'
import type { UidTable } from './uid-table.ts'

/** Keeps the identities that stored entities are or name, and those of policies; drops the rest. */
export function sweepUids(table: UidTable, present: Iterable<EntityUid>): void {
  const named = new Set<EntityUid>()
  for (const uid of present) {
    named.add(uid)
    for (const parent of uid.record?.ancestors ?? []) named.add(parent)
    for (const value of uid.record?.attributes.values() ?? []) collect(value, named)
    for (const value of uid.record?.tags.values() ?? []) collect(value, named)
  }
  table.sweep((uid) => uid.pinned || named.has(uid))
}

/** Adds every entity a value names. */
export function collect(value: Value, into: Set<EntityUid>): void {
  if (typeof value !== 'object') return
  switch (value.kind) {
    case 'entity':
      into.add(value)
      return
    case 'set':
      for (const element of value.elements) collect(element, into)
      return
    case 'record':
      for (const field of value.fields.values()) collect(field, into)
      return
    case 'decimal':
    case 'ipaddr':
    case 'datetime':
    case 'duration':
  }
}
