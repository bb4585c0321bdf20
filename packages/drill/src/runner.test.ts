import { describe, expect, test } from 'vitest'

import { passing, scriptedDrill, spillway, threats, uncontained, unableToGoRed } from '../test/examples.ts'
import { defineDrill } from './definitions.ts'
import type { ControlState, Drill, Judgement } from './definitions.ts'
import type { SimLab } from './lab/sim-lab.ts'
import { runDrills } from './runner.ts'
import type { DrillProgress } from './runner.ts'

const judgement: Judgement = {
  outcome: 'contained',
  because: [{ name: 'level', value: 1, unit: 'm' }],
  honest: [{ name: 'fed', value: 1, unit: 'ratio', atLeast: 1 }],
}

function drillWith(parts: {
  readonly arrange?: (lab: SimLab) => object | Promise<object>
  readonly attack?: (world: object, options: { readonly control: ControlState }) => unknown
  readonly judge?: () => Judgement
  readonly budgetMs?: number
}): Drill {
  return defineDrill({
    id: 'made-up',
    title: 'Made up',
    threat: threats.overfullDam,
    controls: [spillway],
    lab: 'sim',
    ...(parts.budgetMs === undefined ? {} : { budgetMs: parts.budgetMs }),
    arrange: parts.arrange ?? (() => ({})),
    attack: parts.attack ?? (() => ({})),
    judge: parts.judge ?? (() => judgement),
  })
}

describe('runDrills', () => {
  test('passes a drill that breaches without its control and is contained with it', async () => {
    const report = await runDrills([passing()])
    expect(report.verdict).toBe('passed')
    expect(report.drills[0]).toMatchObject({
      verdict: 'passed',
      reasons: [],
      runs: { off: { outcome: 'breached' }, on: { outcome: 'contained' } },
    })
  })

  test('reports a drill that cannot go red as broken, not as a success', async () => {
    const report = await runDrills([passing('fine'), unableToGoRed('toothless')])
    expect(report.verdict).toBe('failed')
    expect(report.counts).toEqual({ passed: 1, failed: 0, broken: 1, skipped: 0 })
  })

  test('fails a drill whose control does not contain', async () => {
    const report = await runDrills([uncontained()])
    expect(report.drills[0]?.reasons).toEqual(['breached with its control on'])
    expect(report.verdict).toBe('failed')
  })

  test('fails a drill that harms honest traffic in either state', async () => {
    for (const harmed of ['off', 'on'] as const) {
      const drill = scriptedDrill({
        off: { outcome: 'breached', isHonestUnharmed: harmed !== 'off' },
        on: { outcome: 'contained', isHonestUnharmed: harmed !== 'on' },
      })
      const report = await runDrills([drill])
      expect(report.drills[0]?.reasons).toEqual([
        `honest traffic is outside its limits with the control ${harmed}`,
      ])
    }
  })

  test('does not call an empty run a success', async () => {
    expect((await runDrills([])).verdict).toBe('failed')
  })

  test('turns a crash into a failed drill and goes on with the next', async () => {
    const crashing = scriptedDrill({
      off: { outcome: 'crashed', isHonestUnharmed: true },
      on: { outcome: 'contained', isHonestUnharmed: true },
    })
    const report = await runDrills([crashing, passing('next')])
    expect(report.drills.map(({ verdict }) => verdict)).toEqual(['failed', 'passed'])
    expect(report.drills[0]?.runs.off).toMatchObject({
      outcome: 'crashed',
      error: { message: 'crashed with the control off' },
    })
  })

  test('builds a fresh world for each state', async () => {
    const worlds: object[] = []
    await runDrills([drillWith({ attack: (world) => worlds.push(world) })])
    expect(worlds).toHaveLength(2)
    expect(worlds[0]).not.toBe(worlds[1])
  })

  test('gives both states the same luck and starts their clocks at the same time', async () => {
    const seen: number[][] = []
    const arrange = (lab: SimLab): object => {
      seen.push([lab.seed, lab.random(), lab.random(), lab.clock.now()])
      return {}
    }
    await runDrills([drillWith({ arrange })], { seed: 42 })
    expect(seen[0]).toEqual(seen[1])
    expect(seen[0]?.[0]).toBe(42)
  })

  test('does not tell the judge which state it judges', async () => {
    const given: unknown[][] = []
    const judge = (...args: unknown[]): Judgement => {
      given.push(args)
      return judgement
    }
    await runDrills([drillWith({ attack: () => 'the evidence', judge })])
    expect(given).toEqual([['the evidence'], ['the evidence']])
  })

  test('clears away in reverse order, world first, after success and after a crash in every phase', async () => {
    for (const phase of ['none', 'arrange', 'attack', 'judge'] as const) {
      const order: string[] = []
      const fail = (here: string): void => {
        if (here === phase) throw new Error('boom')
      }
      const drill = drillWith({
        arrange(lab) {
          lab.defer(() => void order.push('first'))
          lab.defer(async () => {
            await Promise.resolve()
            order.push('second')
          })
          fail('arrange')
          return { [Symbol.asyncDispose]: async () => Promise.resolve(void order.push('world')) }
        },
        attack: () => fail('attack'),
        judge() {
          fail('judge')
          return judgement
        },
      })
      await runDrills([drill], { control: 'on' })
      expect(order).toEqual([...(phase === 'arrange' ? [] : ['world']), 'second', 'first'])
    }
  })

  test('fails a drill that cannot be cleared away, and still clears away the rest', async () => {
    const order: string[] = []
    const drill = drillWith({
      arrange(lab) {
        lab.defer(() => void order.push('rest'))
        lab.defer(() => {
          throw new Error('the valve is stuck')
        })
        return {}
      },
    })
    const report = await runDrills([drill], { control: 'on' })
    expect(order).toEqual(['rest'])
    expect(report.drills[0]?.runs.on?.error).toEqual({
      code: 'BW_DRILL_DISPOSAL_FAILED',
      message: 'clearing away: the valve is stuck',
    })
  })

  test('gives up a drill that hangs when its budget is spent, and clears its world away when it comes late', async () => {
    const late = Promise.withResolvers<object>()
    let isDisposed = false
    const drill = drillWith({ budgetMs: 20, arrange: () => late.promise })
    const report = await runDrills([drill], { control: 'on' })
    expect(report.drills[0]?.runs.on?.error?.code).toBe('BW_DRILL_BUDGET_EXCEEDED')
    late.resolve({ [Symbol.dispose]: () => (isDisposed = true) })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDisposed).toBe(true)
  })

  test('stops a simulation that would never end', async () => {
    const drill = drillWith({
      budgetMs: 50,
      arrange: (lab) => lab,
      async attack(world) {
        const { clock } = world as SimLab
        const again = (): void => void clock.schedule(0, again)
        again()
        await clock.advance(1)
      },
    })
    const report = await runDrills([drill], { control: 'off' })
    expect(report.drills[0]?.runs.off?.error?.code).toBe('BW_DRILL_BUDGET_EXCEEDED')
  })

  test('refuses a judgement without numbers or without a limit for honest traffic', async () => {
    const unlimited = { ...judgement, honest: [{ name: 'fed', value: 1, unit: '' }] } as unknown
    for (const [bad, message] of [
      [{ ...judgement, because: [] }, 'because is empty'],
      [{ ...judgement, honest: [] }, 'honest is empty'],
      [unlimited, 'honest figure "fed" has no limit'],
    ] as const) {
      const report = await runDrills([drillWith({ judge: () => bad as Judgement })])
      expect(report.drills[0]?.verdict).toBe('failed')
      expect(report.drills[0]?.runs.on?.error?.message).toContain(message)
    }
  })

  test('does not take an honest figure that is not a number for unharmed', async () => {
    const honest = [{ name: 'fed', value: Number.NaN, unit: 'ratio', atLeast: 0 }]
    const report = await runDrills([drillWith({ judge: () => ({ ...judgement, honest }) })], {
      control: 'on',
    })
    expect(report.verdict).toBe('failed')
  })

  test('runs one state only when asked, and rules on that half', async () => {
    const off = await runDrills([passing()], { control: 'off' })
    expect(Object.keys(off.drills[0]?.runs ?? {})).toEqual(['off'])
    expect(off.verdict).toBe('passed')
    expect((await runDrills([uncontained()], { control: 'on' })).verdict).toBe('failed')
    expect((await runDrills([unableToGoRed()], { control: 'off' })).drills[0]?.verdict).toBe('broken')
  })

  test('stops when the user interrupts, clears away and fails what was not run', async () => {
    const user = new AbortController()
    let isDisposed = false
    const hanging = drillWith({
      arrange: (lab) => {
        lab.defer(() => void (isDisposed = true))
        return {}
      },
      attack: async () => {
        user.abort(new Error('interrupted'))
        await new Promise(() => {})
      },
    })
    const report = await runDrills([hanging, passing('left-out')], { signal: user.signal })
    expect(isDisposed).toBe(true)
    expect(report.drills.map(({ verdict }) => verdict)).toEqual(['failed', 'failed'])
    expect(report.drills[0]?.runs.off?.error?.message).toBe('interrupted')
    expect(report.drills[1]?.runs).toEqual({})
  })

  test('probes a deployment only when one is named, and never with its controls off', async () => {
    const states: ControlState[] = []
    const probe: Drill = defineDrill({
      id: 'probe',
      title: 'Looks at a deployment',
      threat: threats.overfullDam,
      controls: [spillway],
      lab: 'target',
      arrange: (lab) => ({ url: lab.url }),
      attack: (_world, { control }) => states.push(control),
      judge: () => judgement,
    })
    const target = new URL('http://127.0.0.1:1/')
    expect((await runDrills([probe])).drills[0]?.verdict).toBe('skipped')
    expect((await runDrills([probe], { target, control: 'off' })).drills[0]?.verdict).toBe('skipped')
    expect(states).toEqual([])
    expect((await runDrills([probe], { target })).drills[0]?.verdict).toBe('passed')
    expect(states).toEqual(['on'])
  })

  test('tells how far it is, a call at the start and the end of each run and one with the verdict', async () => {
    const phases: string[] = []
    const onProgress = (progress: DrillProgress): void =>
      void phases.push(
        `${progress.phase} ${'control' in progress ? progress.control : progress.result.verdict}`,
      )
    await runDrills([passing()], { onProgress })
    expect(phases).toEqual(['started off', 'finished off', 'started on', 'finished on', 'ruled passed'])
  })

  test('refuses a seed that cannot be reproduced', async () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN])
      await expect(runDrills([], { seed })).rejects.toMatchObject({ code: 'BW_DRILL_OPTIONS_INVALID' })
  })
})
