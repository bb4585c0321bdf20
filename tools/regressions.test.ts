import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = dirname(import.meta.dirname)

interface Guard {
  readonly file: string
  /** Parts of names of tests in `file`. */
  readonly names: readonly string[]
}

/** `` `file`: name; name; `file`: name ``. What follows a file after a comma is a remark. A name may end in `…`. */
function guardsOf(cell: string): Guard[] {
  return [...cell.matchAll(/`([^`]+)`([^`]*)/g)].map(([, file = '', rest = '']) => {
    const names = rest.startsWith(':') ? rest.slice(1).split(';') : []
    return { file, names: names.map((name) => name.replace('…', '').trim()).filter((name) => name !== '') }
  })
}

/** Names with `%s`, as `test.each` completes them. */
function completedNames(source: string): RegExp[] {
  return [...source.matchAll(/'([^'\n]{12,}%[a-z][^'\n]*)'/g)].map(([, name = '']) => {
    const literal = name.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
    return new RegExp(`^${literal.replaceAll(/%[a-z]/g, '.+')}$`)
  })
}

describe('the list of regressions', () => {
  const rows = readFileSync(join(root, 'docs/regressions.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))

  test('names a test that exists for each', () => {
    expect(rows.length).toBeGreaterThan(80)
    const dead = rows.flatMap((cells) => {
      if (cells.length !== 3) return [`${cells.length} cells: ${cells.join('|')}`]
      const guards = guardsOf(cells[2] ?? '')
      if (guards.length === 0) return [`no file in backticks: ${cells[2]}`]
      return guards.flatMap(({ file, names }) => {
        if (!existsSync(join(root, file))) return [`no such file: ${file} (${cells[2]})`]
        const source = readFileSync(join(root, file), 'utf8')
        const completed = completedNames(source)
        return names
          .filter((name) => !source.includes(name) && !completed.some((whole) => whole.test(name)))
          .map((name) => `no such test in ${file}: ${name}`)
      })
    })
    expect(dead).toEqual([])
  })
})
