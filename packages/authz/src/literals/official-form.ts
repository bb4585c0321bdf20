import type { EntityName, Expression, PolicyNode, ScopeConstraint, ScopeTarget } from '../engine/ast.ts'

/**
 * The tree as the official engine writes it (its JSON policy format), so that the two readings can be compared. Integers
 * are rounded the way the official JSON rounds them: everything else must agree exactly.
 */
export function officialForm(policy: PolicyNode): unknown {
  const { effect, annotations } = policy
  const { action } = policy
  return {
    effect,
    principal: scopeForm(policy.principal, '?principal'),
    action:
      action.op === 'all'
        ? { op: 'All' }
        : action.op === '=='
          ? { op: '==', entity: { ...action.entity } }
          : action.entities.length === 1
            ? { op: 'in', entity: { ...action.entities[0] } }
            : { op: 'in', entities: action.entities.map((entity) => ({ ...entity })) },
    resource: scopeForm(policy.resource, '?resource'),
    conditions: policy.conditions.map(({ kind, body }) => ({ kind, body: form(body) })),
    ...(annotations.length > 0 && {
      annotations: Object.fromEntries(annotations.map(([name, value]) => [name, value ?? null])),
    }),
  }
}

function scopeForm(scope: ScopeConstraint, slot: string): unknown {
  const target = (to: ScopeTarget): object => (to === 'slot' ? { slot } : { entity: { ...to } })
  switch (scope.op) {
    case 'all':
      return { op: 'All' }
    case '==':
    case 'in':
      return { op: scope.op, ...target(scope.target) }
    case 'is':
      return {
        op: 'is',
        entity_type: scope.entityType,
        ...(scope.within !== undefined && { in: target(scope.within) }),
      }
  }
}

const entityForm = (entity: EntityName): object => ({ Value: { __entity: { ...entity } } })

function form(node: Expression): unknown {
  switch (node.kind) {
    case 'literal':
      return { Value: typeof node.value === 'bigint' ? Number(node.value) : node.value }
    case 'entity':
      return entityForm(node.entity)
    case 'variable':
      return { Var: node.name }
    case 'unary':
      return { [node.operator]: { arg: form(node.argument) } }
    case 'binary':
    case 'logic':
      return { [node.operator]: { left: form(node.left), right: form(node.right) } }
    case 'if':
      return {
        'if-then-else': new Map([
          ['if', form(node.test)],
          ['then', form(node.yes)],
          ['else', form(node.no)],
        ]),
      }
    case 'attribute':
      return { '.': { left: form(node.target), attr: node.name } }
    case 'has':
      return { has: { left: form(node.target), attr: node.path.length === 1 ? node.path[0] : node.path } }
    case 'like':
      return {
        like: {
          left: form(node.target),
          pattern: node.pattern.map((part) => (part === 'wildcard' ? 'Wildcard' : { Literal: part.literal })),
        },
      }
    case 'is':
      return {
        is: {
          left: form(node.target),
          entity_type: node.entityType,
          ...(node.within !== undefined && { in: form(node.within) }),
        },
      }
    case 'set':
      return { Set: node.elements.map(form) }
    case 'record':
      return { Record: new Map(node.entries.map(([name, value]) => [name, form(value)])) }
    case 'call':
      return { [node.name]: node.args.map(form) }
  }
}

/** Deep equality of a tree of ours with the official one; a Map of ours stands for an object with any keys. */
export function sameForm(ours: unknown, official: unknown): boolean {
  if (ours === official) return true
  if (typeof ours !== 'object' || typeof official !== 'object' || ours === null || official === null)
    return false
  if (Array.isArray(ours)) {
    return (
      Array.isArray(official) &&
      ours.length === official.length &&
      ours.every((element, index) => sameForm(element, official[index]))
    )
  }
  const entries: [unknown, unknown][] = ours instanceof Map ? [...ours] : Object.entries(ours)
  const theirs = new Map<unknown, unknown>(Object.entries(official))
  return (
    theirs.size === entries.length &&
    entries.every(([key, value]) => theirs.has(key) && sameForm(value, theirs.get(key)))
  )
}
