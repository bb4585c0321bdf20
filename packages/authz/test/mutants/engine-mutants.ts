import { inFile } from './mutant.ts'
import type { Mutant } from './mutant.ts'

/** Wrong engines, each with one mistake that somebody could make. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'engine/tally.ts',
    ['a failing forbid denies', "forbidErrors === 'deny'", "forbidErrors !== 'deny'"],
    ['a satisfied forbid is ignored', '!forbidden && this.#permits', 'this.#permits'],
    ['the empty answer allows', 'this.#permits.any && !failClosed', '!failClosed'],
    [
      'permit and forbid are swapped',
      "(policy.effect === 'permit' ? this.#permits",
      "(policy.effect !== 'permit' ? this.#permits",
    ],
    [
      'reasons of a deny name the permits',
      'forbidden ? this.#forbids :',
      'this.#permits.any ? this.#permits :',
    ],
    ['errors are dropped', '(this.#failures ??= []).push({ policyId, effect, message })', 'void message'],
    ['errors of the last request stay', 'this.#failures = undefined', 'void 0'],
    ['permits of the last request stay', 'this.#permits.clear()', 'void 0'],
    ['forbids of the last request stay', 'this.#forbids.clear()', 'void 0'],
    ['an error counts as satisfied', 'if (satisfied === true)', 'if (satisfied !== undefined)'],
    [
      'only the first reason is told',
      'more === undefined ? first.reasons',
      'first !== undefined ? first.reasons',
    ],
  ),
  ...inFile(
    'engine/policy.ts',
    ['unless reads as when', "wanted: kind === 'when',", 'wanted: true,'],
    [
      'a condition that is no boolean is false',
      "return typeof value === 'boolean' || value === ERROR ? value : fail(frame, fault)",
      "return typeof value === 'boolean' || value === ERROR ? value : false",
    ],
    ['only the first condition counts', 'if (value !== wanted) return false', 'return value === wanted'],
    [
      'conditions run backwards',
      'for (const { run, wanted, fault } of steps)',
      'for (const { run, wanted, fault } of steps.toReversed())',
    ],
    ['action in is action ==', "actionsWithin: node.action.op === 'in'", 'actionsWithin: false'],
    ['action == is action in', "actionsWithin: node.action.op === 'in'", 'actionsWithin: true'],
    [
      'slots of a link are swapped',
      "link?.values['?principal']",
      "link?.values['?resource'] ?? link?.values['?principal']",
    ],
    [
      'templates fire unlinked',
      'parsed.policies.filter((policy) => !policy.template).map((policy)',
      'parsed.policies.filter((policy) => policy.node.principal.op !== "all" || !policy.template).filter((policy) => !JSON.stringify(policy.node).includes(`"slot"`) || parsed.links.length === 0).map((policy)',
    ],
    [
      'a link has its template’s id',
      'return compile(template, link.newId, link)',
      'return compile(template, link.templateId, link)',
    ],
    [
      'only the first action of a list counts',
      "return action.op === '==' ? [action.entity] : action.entities",
      "return action.op === '==' ? [action.entity] : action.entities.slice(0, 1)",
    ],
    [
      'is … in forgets the group',
      'within: scope.within === undefined ? undefined : target(scope.within),',
      'within: undefined,',
    ],
    [
      'is … in forgets the type',
      'type: scope.entityType,',
      'type: scope.within === undefined ? scope.entityType : undefined,',
    ],
  ),
  ...inFile(
    'engine/scope-index.ts',
    [
      'a scope in a group misses the group itself',
      'if (itself !== undefined) visit(itself, visitor)',
      'void itself',
    ],
    [
      'only the first group is visited',
      'if (found !== undefined) visit(found, visitor)\n    }\n  }',
      'if (found !== undefined) return visit(found, visitor)\n    }\n  }',
    ],
    [
      'groups are lost when the index is small',
      'if (ancestors.has(group)) visit(found, visitor)',
      'void [group, found]',
    ],
    [
      'policies without scope are lost',
      'if (this.#any !== undefined) visit(this.#any, visitor)',
      'void this.#any',
    ],
    ['types are lost', 'const found = this.#type.get(uid.type)', 'const found = this.#type.get(uid.id)'],
    ['equal entities are lost', 'const found = this.#equal.get(uid)', 'const found = this.#within.get(uid)'],
  ),
  ...inFile(
    'engine/policy-index.ts',
    [
      'actions share one slice',
      'const known = this.#slices.get(action)',
      'const known = [...this.#slices.values()][0]',
    ],
    ['the principal’s type is not checked', 'principalType !== undefined &&', 'principalType === null &&'],
    [
      'a stored action that no policy names is in no group',
      'if (record === undefined && !action.pinned) return undefined',
      'if (!action.pinned) return undefined',
    ],
    ['the resource’s type is not checked', 'resourceType !== undefined &&', 'resourceType === null &&'],
    ['policies bound to actions are lost', 'if (this.#bound.length === 0) return', 'return'],
  ),
  ...inFile(
    'engine/first-test.ts',
    [
      'an unless is indexed like a when',
      "if (condition?.kind !== 'when') return undefined",
      'if (condition === undefined) return undefined',
    ],
    ['a guard for another attribute counts', 'first.path[0] === guardedTest.name', 'first.path.length === 1'],
    [
      'a guard on another variable counts',
      'first.target.name === guardedTest?.variable',
      'guardedTest !== undefined',
    ],
    ['an or is indexed like an and', "node.operator !== '&&'", "node.operator === '<'"],
    ['inequality is indexed like equality', "node.operator !== '=='", "!node.operator.endsWith('=')"],
    ['the principal is looked at for all', 'frame[variable]', "frame['principal']"],
  ),
  ...inFile(
    'engine/leaf.ts',
    [
      'a missing attribute hides errors',
      'value === undefined ? unguarded : byValue.get(value)',
      'value === undefined ? undefined : byValue.get(value)',
    ],
    [
      'only the last policy of a value is kept',
      'else same.push(policy)',
      'else byValue.set(test.value, [policy])',
    ],
    ['attributes of different variables share a table', '`${test.variable}.${test.name}`', '`${test.name}`'],
  ),
  ...inFile(
    'engine/frame.ts',
    ['in is not reflexive', 'if (entity === group) return true', 'if (entity === group) return false'],
    [
      'a missing entity is not in itself',
      'return entity.id === group.id && entity.type === group.type',
      'return false',
    ],
    [
      'in looks at one name only',
      'return entity.id === group.id && entity.type === group.type',
      'return entity.id === group.id',
    ],
    [
      'in looks at direct parents only',
      'recordOf(frame, entity)?.ancestors.has(group) === true',
      'recordOf(frame, entity)?.parents.includes(group) === true',
    ],
    [
      'in is turned around',
      'recordOf(frame, entity)?.ancestors.has(group)',
      'recordOf(frame, group)?.ancestors.has(entity)',
    ],
  ),
  ...inFile(
    'engine/compile-logic.ts',
    ['&& is ||', "const deciding = node.operator === '||'", "const deciding = node.operator === '&&'"],
    [
      '&& does not look at the second type',
      'if (second === true || second === false) return second\n    return second === ERROR ? ERROR : fail(frame, fault)',
      'return second',
    ],
    [
      '&& evaluates the right side first',
      'const left = compiler.compile(node.left).run\n  const right = compiler.compile(node.right).run',
      'const left = compiler.compile(node.right).run\n  const right = compiler.compile(node.left).run',
    ],
    [
      'a left side that is no boolean is false',
      'if (first !== !deciding) return first === ERROR ? ERROR : fail(frame, fault)',
      'if (first !== !deciding) return first === ERROR ? ERROR : false',
    ],
    ['an error on the left is false', 'return first === ERROR ? ERROR : fail(frame, fault)', 'return false'],
    [
      'if takes the wrong branch',
      'if (outcome === true) return yes(frame)',
      'if (outcome === true) return no(frame)',
    ],
    [
      'if evaluates both branches',
      'const outcome = test(frame)',
      'const outcome = no(frame) === ERROR ? ERROR : test(frame)',
    ],
    [
      '! of an error is true',
      'if (value === true || value === false) return !value\n        return value === ERROR ? ERROR : fail(frame, fault)',
      'return value !== true',
    ],
    [
      'isEmpty of a non-set is false',
      ': fail(frame, fault)\n      })\n    }\n  }\n}',
      ': false\n      })\n    }\n  }\n}',
    ],
    ['!= is ==', "const wanted = node.operator === '=='", 'const wanted = true'],
    [
      '== of an error is false',
      'return value === ERROR ? ERROR : (value === known) === wanted',
      'return (value === known) === wanted',
    ],
  ),
  ...inFile(
    'engine/compile-arithmetic.ts',
    ['< is <=', 'return a < b', 'return a <= b'],
    ['<= is <', 'return a <= b', 'return a < b'],
    ['> is >=', 'return a > b', 'return a >= b'],
    ['>= is >', 'return a >= b', 'return a > b'],
    ['different kinds compare', 'kindOf(a) !== kindOf(b)', 'false'],
    [
      'strings compare',
      'if (isLong(value)) return value\n',
      "if (isLong(value) || typeof value === 'string') return Number(value)\n",
    ],
    [
      '+ and - are swapped',
      "{ '+': addLongs, '-': subtractLongs, '*'",
      "{ '+': subtractLongs, '-': addLongs, '*'",
    ],
  ),
  ...inFile(
    'engine/compile-entities.ts',
    [
      'a missing attribute is false',
      'recordOf(frame, value)?.attributes.get(name) ?? fail(frame, missing)',
      'recordOf(frame, value)?.attributes.get(name) ?? false',
    ],
    [
      'a missing field is false',
      'return value.fields.get(name) ?? fail(frame, missing)',
      'return value.fields.get(name) ?? false',
    ],
    [
      'has of a non-record is false',
      'else return fail(frame, fault)\n      if',
      'else return false\n      if',
    ],
    [
      'has looks at the first name only',
      'if (value === undefined) return false\n    }',
      'return value !== undefined\n    }',
    ],
    [
      'tags and attributes are one',
      'const tag = recordOf(frame, entity)?.tags.get(name)',
      'const tag = recordOf(frame, entity)?.tags.get(name) ?? recordOf(frame, entity)?.attributes.get(name)',
    ],
    ['a missing tag is false', 'tag ?? fail(frame, missing)', 'tag ?? false'],
    [
      'in stops at the first group found',
      'found ||= isWithin(frame, entity, group)',
      'if (isWithin(frame, entity, group)) return true',
    ],
    [
      'in skips what is no entity',
      "if (typeof group !== 'object' || group.kind !== 'entity') return undefined",
      "if (typeof group !== 'object' || group.kind !== 'entity') continue",
    ],
    [
      'is compares the last part of the name',
      'if (value.type !== entityType) return false',
      'if (!`::${value.type}`.endsWith(`::${entityType}`)) return false',
    ],
    [
      'is of a non-entity is false',
      "if (typeof value !== 'object' || value.kind !== 'entity') return fail(frame, fault)\n    if (value.type",
      "if (typeof value !== 'object' || value.kind !== 'entity') return value === ERROR ? ERROR : false\n    if (value.type",
    ],
    [
      'is … in does not look at the group',
      'return inside === undefined ? true : inside(frame)',
      'return true',
    ],
  ),
  ...inFile(
    'engine/compile-collections.ts',
    [
      'containsAll is containsAny',
      "operator === 'containsAll' ? set.hasAll(other) : set.hasAny(other)",
      'set.hasAny(other)',
    ],
    [
      'containsAny is containsAll',
      "operator === 'containsAll' ? set.hasAll(other) : set.hasAny(other)",
      'set.hasAll(other)',
    ],
    [
      'contains of a set means all of it',
      "if (operator === 'contains') return set.has(other)",
      "if (operator === 'contains' && (typeof other !== 'object' || other.kind !== 'set')) return set.has(other)",
    ],
    [
      'errors inside a set are left out',
      'if (value === ERROR) return ERROR\n      values.push(value)',
      'if (value !== ERROR) values.push(value)',
    ],
    [
      'errors inside a record are left out',
      'if (value === ERROR) return ERROR\n        values.set(name, value)',
      'if (value !== ERROR) values.set(name, value)',
    ],
  ),
  ...inFile('engine/code.ts', [
    'constant errors come early',
    'return value === ERROR ? dynamic(run) : constant(value)',
    'return value === ERROR ? constant(false) : constant(value)',
  ]),
]
