import type { AuthzRequest } from '../engine/request.ts'
import type { ValueInput } from '../entities/read-entities.ts'
import type { DecisionRecord } from '../log/record.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { readUidText } from '../testing/question.ts'

/**
 * The request behind a record, as far as the log kept it; undefined when the record has none. Context values that the schema
 * knows as entities are read as such, and a `now` that it asks for and the log did not keep is the time of the record.
 */
export function requestOfRecord(
  record: DecisionRecord,
  schema: AuthzSchema | undefined,
): AuthzRequest | undefined {
  const { who, action, object, workload, context } = record
  if (who === undefined || action === undefined || object === undefined) return undefined
  const known = schema?.actions.get(action)?.context.attributes
  const values: Record<string, ValueInput> = {}
  const given = {
    ...context,
    ...(workload !== undefined && known?.has('workload') !== false && { workload }),
  }
  for (const [name, value] of Object.entries(given)) {
    const isEntity = known?.get(name)?.type.kind === 'entity' || name === 'workload'
    values[name] = isEntity && typeof value === 'string' ? { __entity: readUidText(value, name) } : value
  }
  const now = known?.get('now')
  const asksTheTime = now?.required === true && now.type.kind === 'extension' && now.type.name === 'datetime'
  if (asksTheTime) values['now'] ??= { __extn: { fn: 'datetime', arg: record.time } }
  return {
    principal: readUidText(who, 'who'),
    action: readUidText(action, 'action'),
    resource: readUidText(object, 'object'),
    context: values,
  }
}

/** The records of a log's lines; seals, first lines and notices are left out. */
export function recordsOf(text: string): DecisionRecord[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{"seq":')) return []
    try {
      const record = JSON.parse(line) as DecisionRecord
      return typeof record.result === 'string' ? [record] : []
    } catch {
      // A torn end.
      return []
    }
  })
}
