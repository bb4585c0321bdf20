import { readFileSync } from 'node:fs'

import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README prints what the README says', async () => {
  const readme = new URL('../README.md', import.meta.url)
  const [, said = ''] = /^prints\n\n```\n([\s\S]*?)```/m.exec(readFileSync(readme, 'utf8')) ?? []
  expect(await runExample(readme, 'resolve')).toBe(said)
})
