import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README runs, and its drill passes', async () => {
  const printed = await runExample(new URL('../README.md', import.meta.url), 'flood')
  expect(printed).toContain('flood  breached     contained   unharmed  passed')
  expect(printed).toContain('1 passed, 0 failed (seed 1)')
})
