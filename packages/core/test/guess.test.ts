import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { editDistance, guess } from '@breakwater/core'

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })

describe('guess', () => {
  test('finds what was meant through a letter too few, too many, wrong or swapped', () => {
    const keys = ['timeout', 'retry', 'upstream']
    for (const written of ['timeot', 'timeoutt', 'timeour', 'tiemout', 'Timeout']) {
      expect(guess(written, keys)).toBe('timeout')
    }
  })

  test('says nothing rather than something far away', () => {
    expect(guess('colour', ['timeout', 'retry'])).toBeUndefined()
    expect(guess('xy', ['ab'])).toBeUndefined()
  })

  test('counts two swapped neighbours as one difference', () => {
    expect(editDistance('tiemout', 'timeout')).toBe(1)
    expect(editDistance('abcd', 'badc')).toBe(2)
  })

  test('measures symmetrically, 0 only for equals, never more than the longer word', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(editDistance(b, a)).toBe(distance)
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})
