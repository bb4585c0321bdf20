import type { AuthzRequest } from '../engine/request.ts'
import type { ListPlan } from '../partial/list-plan.ts'
import type { ResourceTable, Row } from '../partial/resource-table.ts'
import type { SqlDialect, SqlFilter } from '../partial/sql.ts'
import type { Who } from './guard.ts'
import { refusedWith, type Refused } from './refused.ts'

/** Plans a list; an `Authorizer` does. */
export interface ListPlanner {
  plan(request: Omit<AuthzRequest, 'resource'>, table: ResourceTable): ListPlan
}

/** The rows that somebody may see. Pages and counts use the same condition, so a count tells no more than the list. */
export class VisibleRows {
  readonly #plan: Exclude<ListPlan, { readonly kind: 'unpushable' }>

  /** @internal Made by {@link ListGuard}. */
  constructor(plan: Exclude<ListPlan, { readonly kind: 'unpushable' }>) {
    this.#plan = plan
  }

  /** For `WHERE`, in lists and in counts. `firstParameter` numbers PostgreSQL's parameters. */
  where(dialect: SqlDialect, firstParameter = 1): SqlFilter {
    if (this.#plan.kind === 'filter') return this.#plan.filter.sql(dialect, firstParameter)
    return { text: this.#plan.kind === 'all' ? '1 = 1' : '1 = 0', parameters: [] }
  }

  /** The same for rows in memory: filter first, then count and page. */
  of<One extends Row>(rows: readonly One[]): One[] {
    const plan = this.#plan
    if (plan.kind === 'filter') return rows.filter((row) => plan.filter.matches(row))
    return plan.kind === 'all' ? [...rows] : []
  }
}

/** Guards a list by an action: the condition goes into the query, nothing is filtered after paging. */
export class ListGuard {
  readonly #action: string
  readonly #table: ResourceTable

  constructor(action: string, table: ResourceTable) {
    this.#action = action
    this.#table = table
  }

  /** Policies that cannot become a condition are a refusal: never everything. Never throws. */
  check(planner: ListPlanner, who: Who): VisibleRows | Refused {
    try {
      const action = { type: 'Action', id: this.#action }
      const plan = planner.plan({ principal: who.principal, action, context: who.context }, this.#table)
      if (plan.kind === 'unpushable') return refusedWith('BW_AUTHZ_LIST_UNPUSHABLE')
      return new VisibleRows(plan)
    } catch {
      return refusedWith('BW_AUTHZ_ENGINE_FAILED')
    }
  }
}
