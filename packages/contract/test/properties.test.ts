import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatProblem, resolveObject, resolveText } from '../src/index.ts'
import type { ConfigResult, ResolvedConfig } from '../src/config/resolve.ts'
import { configurations } from './configurations.ts'

function right(result: ConfigResult): ResolvedConfig {
  if (!result.ok) throw new Error(result.error.map(formatProblem).join('\n'))
  return result.value
}

/** Lines with a key of the schema and a single value. */
const SETTING = /^(\s*)([a-zA-Z]+): ([^\s[{&*].*)$/

describe('any configuration', () => {
  test('says the same after it was printed with all its defaults', () => {
    fc.assert(
      fc.property(configurations, (input) => {
        const first = right(resolveObject(input))
        const printed = first.print()
        const second = right(resolveText(printed))
        expect(second.config).toEqual(first.config)
        expect(second.print()).toBe(printed)
      }),
      { numRuns: 60 },
    )
  })

  test('with one key misspelt has a mistake on that line', () => {
    mutate(
      (indent, key, value) => `${indent}${key}q: ${value}`,
      (key) => ({ code: 'BW_CONFIG_KEY_UNKNOWN', guess: key }),
    )
  })

  test('with one value of a wrong kind has a mistake on that line', () => {
    mutate(
      (indent, key) => `${indent}${key}: [[1]]`,
      () => ({ code: 'BW_CONFIG_VALUE_INVALID' }),
    )
  })

  test('with one key given twice has a mistake on the second line', () => {
    mutate(
      (indent, key, value) => `${indent}${key}: ${value}\n${indent}${key}: ${value}`,
      () => ({ code: 'BW_CONFIG_KEY_DUPLICATE' }),
      1,
    )
  })

  test('cut off anywhere is refused or read, and never throws', () => {
    fc.assert(
      fc.property(configurations, fc.nat(), (input, cut) => {
        const printed = right(resolveObject(input)).print()
        const result = resolveText(printed.slice(0, cut % printed.length))
        if (!result.ok) for (const problem of result.error) expect(problem.line).toBeGreaterThan(0)
      }),
      { numRuns: 40 },
    )
  })
})

/** Changes one line of a printed configuration and expects a problem there. */
function mutate(
  change: (indent: string, key: string, value: string) => string,
  expected: (key: string) => object,
  offset = 0,
): void {
  fc.assert(
    fc.property(configurations, fc.nat(), (input, luck) => {
      const lines = right(resolveObject(input)).print().split('\n')
      const settings = lines.flatMap((text, index) => {
        const [, indent, key, value] = SETTING.exec(text) ?? []
        return indent === undefined || key === undefined || value === undefined
          ? []
          : [{ index, indent, key, value }]
      })
      const chosen = settings[luck % settings.length]
      if (chosen === undefined) throw new Error('nothing to change')
      lines[chosen.index] = change(chosen.indent, chosen.key, chosen.value)
      const result = resolveText(lines.join('\n'))
      const there = result.ok ? [] : result.error.filter(({ line }) => line === chosen.index + 1 + offset)
      expect(there).toContainEqual(expect.objectContaining(expected(chosen.key)))
    }),
    { numRuns: 80 },
  )
}
