import { defineControl, defineDrill, defineThreats } from '../src/index.ts'
import type { Control, ControlState, Drill, Judgement } from '../src/index.ts'

export const threats = defineThreats({
  overfullDam: {
    title: 'The lake runs over the dam',
    looksLike: 'Water in the valley.',
    defence: 'A spillway.',
    notCovered: 'Rain beyond the capacity of the spillway.',
    source: 'A manual of hydraulics',
  },
})

export const spillway: Control = defineControl({
  id: 'spill-way',
  title: 'Lets water out before it runs over',
  defends: [threats.overfullDam],
  code: 'packages/dam/src/spill-way.ts',
  configuration: ['dam.spillWay'],
  notCovered: 'Ice in the spillway.',
})

/** What a scripted run does in one state. */
export interface Script {
  readonly outcome: Judgement['outcome'] | 'crashed'
  readonly isHonestUnharmed: boolean
}

/** A drill that plays what it is told, for tests of those that run and rule on drills. */
export function scriptedDrill(script: Readonly<Record<ControlState, Script>>, id = 'scripted'): Drill {
  return defineDrill({
    id,
    title: 'Plays what it is told',
    threat: threats.overfullDam,
    controls: [spillway],
    lab: 'sim',
    arrange: () => ({}),
    attack: (_world: object, { control }) => {
      if (script[control].outcome === 'crashed') throw new Error(`crashed with the control ${control}`)
      return script[control]
    },
    judge: ({ outcome, isHonestUnharmed }) => ({
      outcome: outcome === 'crashed' ? 'breached' : outcome,
      because: [
        { name: 'water in the valley', value: outcome === 'breached' ? 7.125 : 0, unit: 'm', atMost: 1 },
      ],
      honest: [{ name: 'turbines fed', value: isHonestUnharmed ? 1 : 0.5, unit: 'ratio', atLeast: 0.99 }],
    }),
  })
}

const good: Script = { outcome: 'contained', isHonestUnharmed: true }
const bad: Script = { outcome: 'breached', isHonestUnharmed: true }

export const passing = (id?: string): Drill => scriptedDrill({ off: bad, on: good }, id)
export const unableToGoRed = (id?: string): Drill => scriptedDrill({ off: good, on: good }, id)
export const uncontained = (id?: string): Drill => scriptedDrill({ off: bad, on: bad }, id)
