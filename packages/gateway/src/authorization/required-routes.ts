import type { EntityStore } from '@breakwater/authz'
import { RowReader } from '@breakwater/authz/guard'
import type { GatewayConfig } from '@breakwater/contract'
import { messageOf } from '@breakwater/core'

/** The entity type of actions, in every schema. */
export const ACTION_TYPE = 'Action'

/**
 * A schema lists all actions and types there are: what it does not know would be denied for ever.
 *
 * @throws Error naming the route and what it asks for.
 */
export function requireRoutes(store: EntityStore, gateway: GatewayConfig): void {
  requireActions(store, gateway)
  requireRows(store, gateway)
}

function requireActions({ schema, uids }: EntityStore, { routes }: GatewayConfig): void {
  if (schema === undefined) return
  for (const { name, authorize } of routes) {
    for (const action of Object.values(authorize?.action ?? {})) {
      if (schema.actions.has(uids.uid(ACTION_TYPE, action).key)) continue
      throw new Error(`the route ${name} asks for the action ${action}, which the schema does not know`)
    }
  }
}

/**
 * A list of which every row would be left out, for ever, is a mistake in the configuration.
 *
 * @throws Error naming the route.
 */
function requireRows({ schema, uids }: EntityStore, { routes }: GatewayConfig): void {
  for (const { name, authorize } of routes) {
    const rows = authorize?.answer?.rows
    if (authorize === undefined || rows === undefined) continue
    const because = (what: string): Error => new Error(`the route ${name} asks about rows, and ${what}`)
    if (schema === undefined) throw because('there is no schema that says what a row is')
    try {
      void new RowReader(schema, rows)
    } catch (cause) {
      throw because(messageOf(cause))
    }
    const action = schema.actions.get(uids.uid(ACTION_TYPE, rows.action).key)
    if (action === undefined) throw because(`the schema does not know the action ${rows.action}`)
    if (!action.resourceTypes.has(rows.type))
      throw because(`in the schema ${rows.action} is nothing that is done to ${rows.type}`)
    const facts: readonly string[] = authorize.context
    const wanted = [...action.context.attributes].find(
      ([fact, { required }]) => required && !facts.includes(fact),
    )
    if (wanted !== undefined) throw because(`${rows.action} wants ${wanted[0]} in context`)
    const spare = facts.find((fact) => !action.context.attributes.has(fact))
    if (spare !== undefined) throw because(`${rows.action} knows no ${spare} in context`)
  }
}
