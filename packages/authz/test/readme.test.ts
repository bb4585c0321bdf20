import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')

test.each(['authorize', 'operate'])('the example %s in the README prints what it says', (name) => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const example = new RegExp(`\`\`\`ts\\n(// example: ${name}\\n[^]*?)\`\`\``).exec(readme)?.[1] ?? ''
  const promised = [...example.matchAll(/^\/\/ (?!example|A |The |Lists)(.+)$/gm)].map(([, line]) => line)
  const folder = join(ROOT, '.breakwater')
  const file = join(folder, `readme-${name}-${process.pid}.ts`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, example)
  try {
    const output = execFileSync(process.execPath, ['--conditions=source', file], { encoding: 'utf8' })
    expect(output.trim().split('\n')).toEqual(promised)
  } finally {
    rmSync(file)
  }
})
