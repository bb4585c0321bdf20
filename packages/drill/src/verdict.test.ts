import { describe, expect, test } from 'vitest'

import { rule } from './verdict.ts'
import type { Finding, Verdict } from './verdict.ts'

const OUTCOMES = ['breached', 'contained', 'crashed'] as const
const findings: readonly (Finding | undefined)[] = [
  undefined,
  ...OUTCOMES.flatMap((outcome) =>
    [true, false].map((honestWithinLimits): Finding => ({ outcome, honestWithinLimits })),
  ),
]

/** The table of the design, written a second time and in another way. */
function expected(off: Finding | undefined, on: Finding | undefined): Verdict {
  if (off === undefined && on === undefined) return 'failed'
  if (off?.outcome === 'crashed' || on?.outcome === 'crashed') return 'failed'
  if (off?.outcome === 'contained') return 'broken'
  const isOffGood = off === undefined || (off.outcome === 'breached' && off.honestWithinLimits)
  const isOnGood = on === undefined || (on.outcome === 'contained' && on.honestWithinLimits)
  return isOffGood && isOnGood ? 'passed' : 'failed'
}

const pairs = findings.flatMap((off) => findings.map((on) => ({ off, on })))

function name(finding: Finding | undefined): string {
  if (finding === undefined) return 'not run'
  return `${finding.outcome} with honest traffic ${finding.honestWithinLimits ? 'unharmed' : 'harmed'}`
}

describe('rule', () => {
  test.each(pairs.map((pair) => ({ ...pair, offName: name(pair.off), onName: name(pair.on) })))(
    'off $offName, on $onName',
    ({ off, on }) => {
      const { verdict, reasons } = rule({
        ...(off === undefined ? {} : { off }),
        ...(on === undefined ? {} : { on }),
      })
      expect(verdict).toBe(expected(off, on))
      expect(reasons.length === 0).toBe(verdict === 'passed')
    },
  )

  test('passes exactly one of the 36 full pairs', () => {
    const full = pairs.filter(({ off, on }) => off !== undefined && on !== undefined)
    const passed = full.filter(({ off, on }) => off && on && rule({ off, on }).verdict === 'passed')
    expect(full).toHaveLength(36)
    expect(passed).toEqual([
      {
        off: { outcome: 'breached', honestWithinLimits: true },
        on: { outcome: 'contained', honestWithinLimits: true },
      },
    ])
  })

  test('names every reason, not only the first', () => {
    const { reasons } = rule({
      off: { outcome: 'contained', honestWithinLimits: false },
      on: { outcome: 'breached', honestWithinLimits: false },
    })
    expect(reasons).toEqual([
      'contained with its control off: this drill cannot go red, it proves nothing',
      'breached with its control on',
      'honest traffic is outside its limits with the control off',
      'honest traffic is outside its limits with the control on',
    ])
  })
})
