import { describe, expect, test } from 'vitest'

import { passing, spillway, threats } from '../test/examples.ts'
import { defineControl, defineDrill } from './definitions.ts'

const other = { ...threats.overfullDam, id: 'other' }

describe('defineControl', () => {
  test('refuses a control that answers no threat, hides its gaps or points outside the repository', () => {
    expect(() =>
      defineControl({ ...spillway, id: 'Spill Way', defends: [], notCovered: ' ', code: '../x.ts' }),
    ).toThrow(
      'control Spill Way: id must be kebab-case, got "Spill Way"; defends is empty: a control that answers no named ' +
        'threat is removed; code must be a path from the root of the repository, got ../x.ts; notCovered is empty: ' +
        'every control leaves something open',
    )
  })
})

describe('defineDrill', () => {
  test('refuses a drill that has nothing to turn off or turns off what does not matter', () => {
    expect(() => defineDrill({ ...passing(), controls: [] })).toThrow('there is nothing to turn off')
    expect(() => defineDrill({ ...passing(), threat: other })).toThrow(
      'none of its controls defends against other',
    )
  })

  test('refuses a budget that never ends', () => {
    for (const budgetMs of [0, -1, Infinity, Number.NaN])
      expect(() => defineDrill({ ...passing(), budgetMs })).toThrow(
        'budgetMs must be a finite number above 0',
      )
  })
})
