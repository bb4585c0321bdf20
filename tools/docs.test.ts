import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveText } from '@breakwater/contract'
import { runCommand } from './checks/command.ts'

const root = dirname(import.meta.dirname)
const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md'], {
  cwd: root,
})
const read = (page: string): string => readFileSync(join(root, page), 'utf8')
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  )

describe('the documentation', () => {
  test('shows configurations that the gateway accepts', () => {
    const shown = pages.flatMap((page) => blocks(page, 'yaml').map((text) => ({ page, text })))
    const whole = shown.filter(({ text }) => text.includes('listeners:') && text.includes('routes:'))
    expect(whole.length).toBeGreaterThan(0)
    for (const { page, text } of whole) {
      const result = resolveText(text, { file: page })
      expect(result.ok ? [] : result.error).toEqual([])
    }
  })

  test('needs ten lines for a listener, an upstream with two endpoints and a route', () => {
    const [text = ''] = blocks('README.md', 'yaml')
    const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
    expect(lines.length).toBeLessThanOrEqual(10)
    const result = resolveText(text)
    expect(result.ok && result.value.config.upstreams[0]?.endpoints).toHaveLength(2)
  })

  test('links to nothing that is not there', () => {
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    )
    expect(dead).toEqual([])
  })

  test('names only commands that exist', async () => {
    const commands = new Set(
      ['README.md', 'CONTRIBUTING.md'].flatMap((page) =>
        [...read(page).matchAll(/npx breakwater ([a-z]+)(?: ([a-z]+))?/g)].map(([, one, two]) =>
          [one, two].filter((word) => word !== undefined).join(' '),
        ),
      ),
    )
    expect(commands.size).toBeGreaterThan(4)
    for (const command of commands) {
      const [name = '', sub] = command.split(' ')
      const result = await runCommand(
        [
          process.execPath,
          '--conditions=source',
          '--disable-warning=ExperimentalWarning',
          'packages/cli/src/main.ts',
          name,
          '--help',
        ],
        { cwd: root, env: process.env },
      )
      expect({ command, code: result.code }).toEqual({ command, code: 0 })
      if (sub !== undefined && result.output.includes('Commands:')) expect(result.output).toContain(sub)
    }
  })

  test('says nothing of where it was made', () => {
    const words = /registry\.npmjs|\/work\/|\bsandbox\b|\bhelper-\d/i
    const files = globSync(['**/*.{md,ts,mjs,json,yaml,yml}'], {
      cwd: root,
      exclude: ['**/node_modules/**', '**/dist/**', '.breakwater/**'],
    })
    const guilty = files.filter((file) => file !== 'tools/docs.test.ts' && words.test(read(file)))
    expect(guilty).toEqual([])
  })
})
