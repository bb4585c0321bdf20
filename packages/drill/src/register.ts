import { guess } from '@breakwater/core'
import type { Threat } from '@breakwater/contract'

import type { Control, Drill, LabKind } from './definitions.ts'
import { errors } from './errors.ts'

/** What is defended against, with what, and how that is shown. */
export interface Register {
  readonly threats: readonly Threat[]
  readonly controls: readonly Control[]
  readonly drills: readonly Drill[]
}

/** One line of `breakwater threats list`: a threat with everything that hangs on it. */
export interface RegisterRow {
  readonly threat: Threat
  readonly controls: readonly Pick<Control, 'id' | 'title' | 'code' | 'configuration' | 'notCovered'>[]
  readonly drills: readonly {
    readonly id: string
    readonly title: string
    readonly lab: LabKind
    readonly controls: readonly string[]
  }[]
}

/** The register as rows, in the order of its threats. */
export function rowsOf(register: Register): readonly RegisterRow[] {
  return register.threats.map((threat) => ({
    threat,
    controls: register.controls
      .filter(({ defends }) => defends.some(({ id }) => id === threat.id))
      .map(({ id, title, code, configuration, notCovered }) => ({
        id,
        title,
        code,
        configuration,
        notCovered,
      })),
    drills: register.drills
      .filter((drill) => drill.threat.id === threat.id)
      .map(({ id, title, lab, controls }) => ({
        id,
        title,
        lab,
        controls: controls.map((control) => control.id),
      })),
  }))
}

/** Puts together what several packages declare. Checks nothing: `checkRegister` tells what is missing. */
export function buildRegister(
  threats: Readonly<Record<string, Threat>> | readonly Threat[],
  controls: readonly Control[],
  drills: readonly Drill[],
): Register {
  return { threats: Object.values(threats), controls: [...controls], drills: [...drills] }
}

/**
 * The drills with these ids, in this order; all of them for an empty list.
 *
 * @throws `BW_DRILL_NOT_FOUND` naming each unknown id.
 */
export function selectDrills(register: Register, ids: readonly string[]): readonly Drill[] {
  if (ids.length === 0) return register.drills
  const unknown = ids.filter((id) => !register.drills.some((drill) => drill.id === id))
  if (unknown.length > 0) {
    const known = register.drills.map(({ id }) => id)
    const meant = new Set(unknown.flatMap((id) => guess(id, known) ?? []))
    const hint =
      meant.size > 0 ? `did you mean ${[...meant].join(' ')}?` : `there are: ${known.join(', ') || 'none'}`
    throw errors.BW_DRILL_NOT_FOUND(`no drill is called ${unknown.join(' or ')}; ${hint}`)
  }
  return ids.flatMap((id) => register.drills.filter((drill) => drill.id === id))
}
