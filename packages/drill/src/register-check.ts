import type { Control } from './definitions.ts'
import type { Register } from './register.ts'

/** Something in the register that hangs in the air. */
export interface Orphan {
  readonly kind: 'threat' | 'control' | 'drill'
  readonly id: string
  readonly problem: string
  /** One imperative sentence. */
  readonly fix: string
}

/** The text of a file by its path from the root of the repository; `undefined` when there is none. */
export type ReadCode = (path: string) => string | undefined

/**
 * Everything that is orphaned: a threat without control or drill, a control without threat, drill or code that names
 * it, a drill that names what the register does not hold, an id used twice. Empty when the register is whole.
 */
export function checkRegister(register: Register, readCode: ReadCode): readonly Orphan[] {
  return [
    ...duplicates(register),
    ...register.threats.flatMap((threat) => threatOrphans(register, threat.id)),
    ...register.controls.flatMap((control) => controlOrphans(register, control, readCode)),
    ...drillOrphans(register),
  ]
}

function duplicates(register: Register): Orphan[] {
  const kinds = [
    ['threat', register.threats],
    ['control', register.controls],
    ['drill', register.drills],
  ] as const
  return kinds.flatMap(([kind, entries]) => {
    const ids = entries.map(({ id }) => id)
    return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map((id) => ({
      kind,
      id,
      problem: `the id is used ${ids.filter((other) => other === id).length} times`,
      fix: `Give each ${kind} an id of its own.`,
    }))
  })
}

function threatOrphans(register: Register, id: string): Orphan[] {
  const orphans: Orphan[] = []
  if (!register.controls.some(({ defends }) => defends.some((threat) => threat.id === id))) {
    orphans.push({
      kind: 'threat',
      id,
      problem: 'no control defends against it',
      fix: `Add it to "defends" of the control that answers it, or remove the threat.`,
    })
  }
  if (!register.drills.some(({ threat }) => threat.id === id)) {
    orphans.push({
      kind: 'threat',
      id,
      problem: 'no drill shows it',
      fix: 'Write a drill that names it as its threat and add it to the drills of its package.',
    })
  }
  return orphans
}

function controlOrphans(register: Register, control: Control, readCode: ReadCode): Orphan[] {
  const { id } = control
  const orphans: Orphan[] = []
  const add = (problem: string, fix: string): void => void orphans.push({ kind: 'control', id, problem, fix })
  if (control.defends.length === 0)
    add('it names no threat', 'Name the threats that it answers, or remove the control.')
  for (const threat of control.defends) {
    if (!register.threats.some((known) => known.id === threat.id))
      add(
        `it names the unknown threat ${threat.id}`,
        'Use a threat of the catalogue in packages/contract/src/threats.ts.',
      )
  }
  if (!register.drills.some(({ controls }) => controls.some((exercised) => exercised.id === id)))
    add(
      'no drill exercises it',
      'Add it to "controls" of a drill that turns it off and on, or remove the control.',
    )
  const code = readCode(control.code)
  if (code === undefined)
    add(`${control.code} does not exist`, 'Point "code" to the file that calls the control.')
  else if (!mentions(code, id))
    add(
      `${control.code} does not mention it`,
      `Point "code" to the file that calls the control, and name ${id} there.`,
    )
  return orphans
}

function drillOrphans(register: Register): Orphan[] {
  return register.drills.flatMap((drill) => {
    const orphans: Orphan[] = []
    if (!register.threats.some(({ id }) => id === drill.threat.id)) {
      orphans.push({
        kind: 'drill',
        id: drill.id,
        problem: `it names the unknown threat ${drill.threat.id}`,
        fix: 'Use a threat of the catalogue in packages/contract/src/threats.ts.',
      })
    }
    for (const { id } of drill.controls) {
      if (register.controls.some((control) => control.id === id)) continue
      orphans.push({
        kind: 'drill',
        id: drill.id,
        problem: `it names the unknown control ${id}`,
        fix: 'Add the control to the controls of its package.',
      })
    }
    return orphans
  })
}

/** `circuit-breaker` is mentioned by circuit-breaker, circuitBreaker, CircuitBreaker, circuit_breaker and "circuit breaker". */
function mentions(code: string, id: string): boolean {
  return new RegExp(`(?<![a-z0-9])${id.split('-').join('[-_ ]?')}s?(?![a-z0-9])`, 'i').test(splitWords(code))
}

/** Puts a space into each camelCase seam, so that whole words can be told from parts of words. */
function splitWords(code: string): string {
  return code.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
}
