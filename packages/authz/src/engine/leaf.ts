import type { Value } from '../values/value.ts'
import type { VariableName } from './ast.ts'
import { firstTest, testedValue } from './first-test.ts'
import type { Frame } from './frame.ts'
import type { CompiledPolicy } from './policy.ts'

/** Fewer policies than this with the same first test are evaluated one by one. */
const WORTH_A_TABLE = 4

/** Policies that begin by comparing the same attribute with constants. */
interface Compared {
  readonly variable: VariableName
  readonly name: string
  readonly byValue: Map<Value, CompiledPolicy[]>
  /** Those that fail, each with an error of its own, when the attribute is missing. */
  readonly unguarded: CompiledPolicy[]
}

interface Split {
  readonly plain: readonly CompiledPolicy[]
  readonly compared: readonly Compared[]
}

/** Policies with the same scope. Those whose first test is known to be false are not visited. */
export class Leaf {
  readonly #policies: CompiledPolicy[] = []
  #split: Split | undefined

  add(policy: CompiledPolicy): void {
    this.#policies.push(policy)
    this.#split = undefined
  }

  visit<Visitor>(
    frame: Frame,
    visitor: Visitor,
    visit: (policies: readonly CompiledPolicy[], visitor: Visitor) => void,
  ): void {
    const { plain, compared } = (this.#split ??= splitOf(this.#policies))
    if (plain.length > 0) visit(plain, visitor)
    for (let index = 0; index < compared.length; index += 1) {
      const { variable, name, byValue, unguarded } = compared[index] as Compared
      const value = testedValue(frame, variable, name)
      const found = value === undefined ? unguarded : byValue.get(value)
      if (found !== undefined) visit(found, visitor)
    }
  }
}

function splitOf(policies: readonly CompiledPolicy[]): Split {
  const groups = Map.groupBy(policies, ({ source }) => {
    const test = firstTest(source.node)
    return test === undefined ? undefined : `${test.variable}.${test.name}`
  })
  const plain: CompiledPolicy[] = []
  const compared: Compared[] = []
  for (const [key, group] of groups) {
    if (key === undefined || group.length < WORTH_A_TABLE) plain.push(...group)
    else compared.push(comparedOf(group))
  }
  return { plain, compared }
}

function comparedOf(group: readonly CompiledPolicy[]): Compared {
  const byValue = new Map<Value, CompiledPolicy[]>()
  const unguarded: CompiledPolicy[] = []
  const [first] = group.map(({ source }) => firstTest(source.node))
  for (const policy of group) {
    const test = firstTest(policy.source.node)
    if (test === undefined) continue
    const same = byValue.get(test.value)
    if (same === undefined) byValue.set(test.value, [policy])
    else same.push(policy)
    if (!test.guarded) unguarded.push(policy)
  }
  return { variable: first?.variable ?? 'context', name: first?.name ?? '', byValue, unguarded }
}
