import { runDrills } from '@breakwater/drill'
import { expect, test } from 'vitest'
import { requestSmuggling } from '../drills/protocol/smuggling.ts'
import { payloads } from '../drills/smuggling/payloads.ts'

test('every payload of the smuggling drill does damage without the engine: none is there to make up the numbers', async () => {
  const report = await runDrills([requestSmuggling], { seed: 1, control: 'off' })
  const [damage] = report.drills[0]?.runs.off?.because ?? []
  expect(payloads.length).toBeGreaterThanOrEqual(30)
  expect(new Set(payloads.map(({ id }) => id)).size).toBe(payloads.length)
  expect(damage?.value).toBe(payloads.length)
})
