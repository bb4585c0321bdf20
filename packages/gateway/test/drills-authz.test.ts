import { runDrills } from '@breakwater/drill'
import { expect, test } from 'vitest'

import { authzDrills } from '../drills/drills-authz.ts'

test(
  'every attack on authorization succeeds without its control and fails with it',
  { timeout: 300_000 },
  async () => {
    const { drills } = await runDrills(authzDrills, { seed: 1 })
    expect(
      drills.filter(({ verdict }) => verdict !== 'passed').map(({ id, reasons }) => [id, reasons]),
    ).toEqual([])
    expect(drills.length).toBe(authzDrills.length)
  },
)
