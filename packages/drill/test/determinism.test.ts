import fc from 'fast-check'
import { expect, test } from 'vitest'

import { defineDrill, runDrills } from '../src/index.ts'
import type { Drill, DrillReport } from '../src/index.ts'
import { spillway, threats } from './examples.ts'

/** A little world with arrivals, promises and timers that get in each other's way. */
const rain: Drill = defineDrill({
  id: 'rain',
  title: 'Rain falls at random',
  threat: threats.overfullDam,
  controls: [spillway],
  lab: 'sim',
  arrange: (lab) => ({ clock: lab.clock, random: lab.random, levels: new Array<number>() }),
  async attack({ clock, random, levels }, { control }) {
    let levelM = 0
    const drop = (): void => {
      levelM += random()
      void Promise.resolve().then(() => levels.push(levelM * clock.now()))
      if (control === 'on') clock.schedule(random() * 5, () => (levelM = Math.max(0, levelM - 1)))
      clock.schedule(random() * 40, drop)
    }
    drop()
    await clock.advance(777)
    return { levels, levelM }
  },
  judge: ({ levels, levelM }) => ({
    outcome: levelM > 5 ? 'breached' : 'contained',
    because: [
      { name: 'level', value: levelM, unit: 'm' },
      { name: 'sum of levels', value: levels.reduce((sum, level) => sum + level, 0), unit: 'm' },
    ],
    honest: [{ name: 'drops', value: levels.length, unit: 'drops', atLeast: 1 }],
  }),
})

function withoutDurations(report: DrillReport): unknown {
  return JSON.parse(
    JSON.stringify(report, (key, value: unknown) => (key === 'durationMs' ? undefined : value)),
  )
}

test('the same seed gives the same report but for its durations, another seed another one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 0xffff_ffff }), async (seed) => {
      const [first, second, other] = [
        withoutDurations(await runDrills([rain], { seed })),
        withoutDurations(await runDrills([rain], { seed })),
        withoutDurations(await runDrills([rain], { seed: (seed + 1) % 2 ** 32 })),
      ]
      expect(second).toEqual(first)
      expect(other).not.toEqual(first)
    }),
    { numRuns: 15 },
  )
})
