import { readFileSync } from 'node:fs'
import { runExample } from '@breakwater/testkit'
import { POLICY_ORDER } from '@breakwater/resilience'
import { DEADLINE_HEADER } from '@breakwater/resilience/machines'
import { expect, test } from 'vitest'

const path = new URL('../README.md', import.meta.url)
const readme = readFileSync(path, 'utf8')

test('the example of the README prints what the README says', async () => {
  const printed = await runExample(path, 'protect')
  expect(readme).toContain('```\n' + printed + '```')
})

test('the README names the policies in the order that the code has', () => {
  expect(readme.replaceAll('\n', ' ')).toContain(`outermost first: ${POLICY_ORDER.join(', ')}.`)
  expect(readme).toContain(`\`${DEADLINE_HEADER}\``)
})
