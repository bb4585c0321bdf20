import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { formatProblem, resolveText } from '../src/index.ts'

const folder = join(import.meta.dirname, 'golden')

/** A configuration, a line of dashes, and what is said about it. */
const files = globSync('*.txt', { cwd: folder }).sort()

describe('mistakes are told all at once, with place, guess and fix:', () => {
  test.each(files)('%s', async (file) => {
    const [text = ''] = readFileSync(join(folder, file), 'utf8').split('----\n')
    const result = resolveText(text, { file: `${basename(file, '.txt')}.yaml` })
    const said = result.ok
      ? 'no mistake\n'
      : result.error.map((problem) => `${formatProblem(problem)}\n`).join('')
    await expect(`${text}----\n${said}`).toMatchFileSnapshot(join(folder, file))
  })
})
