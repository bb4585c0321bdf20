import { collect } from '../entities/sweep.ts'
import type { EntityUid } from '../entities/uid.ts'
import { fieldsJson, uidJson } from '../values/to-json.ts'
import type { AuthzSchema } from '../schema/schema.ts'
import { frameOf, recordOf } from './frame.ts'
import type { OfficialRequest } from './official.ts'
import type { ResolvedRequest } from './request.ts'

/**
 * The request in the official JSON format with the entities an evaluation can reach: those named by the request, by the
 * policies, and, transitively, by the attributes, tags and ancestors of these. Nothing else can influence the answer.
 */
export function officialRequest(
  request: ResolvedRequest,
  named: Iterable<EntityUid>,
  schema: AuthzSchema | undefined,
): OfficialRequest {
  const { principal, action, resource, context, overlay } = request
  const frame = { ...frameOf(principal, action, resource), context, overlay }
  const reached = new Set<EntityUid>([principal, action, resource, ...named])
  collect(context, reached)
  const entities: object[] = []
  for (const uid of reached) {
    const record = recordOf(frame, uid)
    if (record === undefined) continue
    for (const ancestor of record.ancestors) reached.add(ancestor)
    for (const value of record.attributes.values()) collect(value, reached)
    for (const value of record.tags.values()) collect(value, reached)
    if (schema?.actions.has(uid.key) === true) continue
    entities.push({
      uid: uidJson(uid),
      attrs: fieldsJson(record.attributes),
      tags: fieldsJson(record.tags),
      parents: record.parents.map(uidJson),
    })
  }
  return {
    principal: uidJson(principal),
    action: uidJson(action),
    resource: uidJson(resource),
    context: fieldsJson(context.fields),
    entities,
  }
}
