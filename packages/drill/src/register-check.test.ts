import { describe, expect, test } from 'vitest'

import { passing, spillway, threats } from '../test/examples.ts'
import type { Control, Drill } from './definitions.ts'
import { checkRegister } from './register-check.ts'
import { buildRegister, rowsOf, selectDrills } from './register.ts'

const whole = buildRegister(threats, [spillway], [passing()])
const stranger = { ...threats.overfullDam, id: 'stranger' }
const code = (text: string) => (): string => text
const present = code('new SpillWay()')

function problems(
  parts: { readonly controls?: readonly Control[]; readonly drills?: readonly Drill[] },
  readCode = present,
): string[] {
  const register = buildRegister(threats, parts.controls ?? [spillway], parts.drills ?? [passing()])
  return checkRegister(register, readCode).map(({ kind, id, problem }) => `${kind} ${id}: ${problem}`)
}

describe('checkRegister', () => {
  test('finds nothing in a register that is whole', () => {
    expect(checkRegister(whole, present)).toEqual([])
  })

  test('finds a threat without a control and one without a drill', () => {
    expect(problems({ controls: [], drills: [] })).toEqual([
      'threat overfull-dam: no control defends against it',
      'threat overfull-dam: no drill shows it',
    ])
  })

  test('finds a control that names no threat, and one that names a threat nobody knows', () => {
    expect(problems({ controls: [{ ...spillway, defends: [] }] })).toContain(
      'control spill-way: it names no threat',
    )
    expect(problems({ controls: [{ ...spillway, defends: [threats.overfullDam, stranger] }] })).toEqual([
      'control spill-way: it names the unknown threat stranger',
    ])
  })

  test('finds a control that no drill turns off', () => {
    const dyke: Control = { ...spillway, id: 'dyke' }
    expect(problems({ controls: [spillway, dyke] }, code('spill way, dyke'))).toEqual([
      'control dyke: no drill exercises it',
    ])
  })

  test('finds a control whose file is gone or does not mention it', () => {
    expect(checkRegister(whole, () => undefined).map(({ problem }) => problem)).toEqual([
      'packages/dam/src/spill-way.ts does not exist',
    ])
    for (const text of ['', 'spill', 'unspillwayed', 'spill.way', 'respillWay'])
      expect(problems({}, code(text))).toEqual([
        'control spill-way: packages/dam/src/spill-way.ts does not mention it',
      ])
    for (const text of [
      'spill-way',
      'openSpillWay()',
      'class SpillWay {',
      'spill_way',
      'two spill ways',
      'SPILL_WAY',
    ])
      expect(problems({}, code(text))).toEqual([])
  })

  test('finds a drill that names a threat or a control nobody knows', () => {
    expect(problems({ drills: [passing(), { ...passing('odd'), threat: stranger }] })).toEqual([
      'drill odd: it names the unknown threat stranger',
    ])
    expect(
      problems({ drills: [passing(), { ...passing('odd'), controls: [{ ...spillway, id: 'dyke' }] }] }),
    ).toEqual(['drill odd: it names the unknown control dyke'])
  })

  test('finds an id that is used twice', () => {
    expect(problems({ controls: [spillway, spillway], drills: [passing(), passing()] })).toEqual([
      'control spill-way: the id is used 2 times',
      'drill scripted: the id is used 2 times',
    ])
  })

  test('says with each orphan how to put it right', () => {
    const orphans = checkRegister(buildRegister([stranger], [spillway], [passing()]), () => undefined)
    expect(orphans.length).toBeGreaterThan(3)
    for (const { fix } of orphans) expect(fix).toMatch(/^[A-Z].*\.$/)
  })
})

test('rowsOf links threat, control, code and drill', () => {
  expect(rowsOf(whole)).toEqual([
    {
      threat: threats.overfullDam,
      controls: [
        {
          id: 'spill-way',
          title: spillway.title,
          code: 'packages/dam/src/spill-way.ts',
          configuration: ['dam.spillWay'],
          notCovered: spillway.notCovered,
        },
      ],
      drills: [{ id: 'scripted', title: 'Plays what it is told', lab: 'sim', controls: ['spill-way'] }],
    },
  ])
})

test('selectDrills keeps the order asked for and names what it does not know', () => {
  const register = buildRegister(threats, [spillway], [passing('one'), passing('two')])
  expect(selectDrills(register, []).map(({ id }) => id)).toEqual(['one', 'two'])
  expect(selectDrills(register, ['two', 'one']).map(({ id }) => id)).toEqual(['two', 'one'])
  expect(() => selectDrills(register, ['one', 'tow'])).toThrow('no drill is called tow; did you mean two?')
  expect(() => selectDrills(register, ['mountain'])).toThrow(
    'no drill is called mountain; there are: one, two',
  )
})
