import { readFileSync } from 'node:fs'
import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

const readme = new URL('../README.md', import.meta.url)

test.each(['authorize', 'operate'])('the example %s in the README prints what it says', async (name) => {
  const example =
    new RegExp(`\`\`\`ts\\n(// example: ${name}\\n[^]*?)\`\`\``).exec(readFileSync(readme, 'utf8'))?.[1] ?? ''
  const promised = [...example.matchAll(/^\/\/ (?!example|A |The |Lists)(.+)$/gm)].map(([, line]) => line)
  const printed = await runExample(readme, name)
  expect(printed.trim().split('\n')).toEqual(promised)
})
