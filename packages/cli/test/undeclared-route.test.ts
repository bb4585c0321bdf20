import { readFileSync, writeFileSync } from 'node:fs'
import { tempDir } from '@breakwater/testkit'
import { expect, test } from 'vitest'

import { npmStart, shopConfig } from './shop.ts'

test('npm start ends at once when a route of the shop says nothing of who may, and names it', async () => {
  await using folder = await tempDir()
  const { file } = await shopConfig(folder.path)
  const bare = '\nroutes:\n  bare-route: { match: /bare, upstream: billing }\n'
  writeFileSync(file, readFileSync(file, 'utf8').replace('\nroutes:\n', bare))
  await using start = npmStart(['--config', file])
  expect((await start.exited).code).toBe(2)
  expect(start.stderr).toMatch(/breakwater\.yaml:\d+:3 routes\.bare-route: the route bare-route says neither/)
  expect(start.stdout).not.toContain('ready')
}, 60_000)
