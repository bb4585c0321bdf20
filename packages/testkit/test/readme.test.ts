import { expect, test } from 'vitest'

import { runExample } from '../src/index.ts'

test('the example of the README runs', async () => {
  expect(await runExample(new URL('../README.md', import.meta.url), 'processes')).toBe('listening on 8080\n')
})
