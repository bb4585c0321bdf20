import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { extractExample, runExample } from './example.ts'
import { tempDir } from './process.ts'

const FENCE = '```'
const README = `# Title

${FENCE}sh
// example: hello
${FENCE}

${FENCE}ts
// example: other
console.log('other')
${FENCE}

${FENCE}ts
// example: hello
const name: string = 'world'
console.log(\`hello \${name}\`)
${FENCE}
`

test('extractExample takes the ts block with the marker and no other', () => {
  expect(extractExample(README, 'hello')).toContain('hello ${name}')
  expect(extractExample(README, 'hell')).toBeUndefined()
})

test('runExample runs the block beside the README and leaves nothing there', async () => {
  await using dir = await tempDir()
  const readme = join(dir.path, 'README.md')
  await writeFile(readme, README)
  expect(await runExample(readme, 'hello')).toBe('hello world\n')
  expect(await readdir(dir.path)).toEqual(['README.md'])
  await expect(runExample(readme, 'missing')).rejects.toThrow('// example: missing')
})

test('runExample fails with the output of an example that fails', async () => {
  await using dir = await tempDir()
  const readme = join(dir.path, 'README.md')
  await writeFile(readme, `${FENCE}ts\n// example: bad\nthrow new Error('broken example')\n${FENCE}\n`)
  await expect(runExample(readme, 'bad')).rejects.toThrow('broken example')
})
