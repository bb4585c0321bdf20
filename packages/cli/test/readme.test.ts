import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README prints what the README says', async () => {
  expect(await runExample(new URL('../README.md', import.meta.url), 'config')).toBe('orders\n')
})
