import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README closes the shop at the minute it names', async () => {
  expect(await runExample(new URL('../README.md', import.meta.url), 'core')).toBe(
    'BW_SHOP_TOO_LATE 410 closed at 60000 ms\n',
  )
})
