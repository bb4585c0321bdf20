import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README runs and shows what it says', async () => {
  const printed = await runExample(new URL('../README.md', import.meta.url), 'metrics-and-access-log')
  expect(printed).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/m)
  expect(printed).toContain('"path":"/orders/7","query":"token=***"')
  expect(printed).toContain('breakwater_requests_total{route="orders"} 1\n')
})
