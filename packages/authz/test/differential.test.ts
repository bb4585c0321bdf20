import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Authorizer, type AuthzRequest, type Decision } from '../src/index.ts'
import { difference } from './differential.ts'
import { EDGE_CASES } from './edge-cases.ts'
import { makeCase, type Case } from './generate/case.ts'
import { official } from './oracle.ts'

const FIRST_SEED = 1
/** 5,000 while somebody waits, 200,000 where a machine does. */
const DECISIONS = process.env['CI'] === undefined ? 5_000 : 200_000
const SEEDS = join(import.meta.dirname, 'seeds.txt')

function differences(cases: Iterable<Case>, wanted = Infinity): { compared: number; found: string[] } {
  const found: string[] = []
  let compared = 0
  for (const one of cases) {
    const expected = official(one)
    if (expected === undefined) continue
    compared += expected.length
    const text = difference(one, expected, Authorizer)
    if (text !== undefined) found.push(text)
    if (compared >= wanted) break
  }
  return { compared, found }
}

function* generated(firstSeed: number): Generator<Case, never> {
  for (let seed = firstSeed; ; seed++) yield makeCase(seed)
}

/** Sends every decision through our entities and context into the official engine and back. */
class DistrustedAuthorizer extends Authorizer {
  override decide(request: AuthzRequest): Decision {
    this.distrust('a test')
    return super.decide(request)
  }
}

describe('the compiled engine beside the official one', () => {
  test('agrees on every edge of the language: types, overflow, extension values, hierarchy, sets, like', () => {
    const { compared, found } = differences(EDGE_CASES)
    expect(found).toEqual([])
    expect(compared).toBeGreaterThan(20)
  })

  test(
    'agrees on thousands of generated decisions in decision, reasons and errors',
    { timeout: 3_600_000 },
    () => {
      const { compared, found } = differences(generated(FIRST_SEED), DECISIONS)
      expect(found).toEqual([])
      expect(compared).toBeGreaterThanOrEqual(DECISIONS)
    },
  )

  test(
    'hands over to the official engine, when distrusted, without changing an answer',
    { timeout: 60_000 },
    () => {
      const found = Array.from({ length: 60 }, (_, index) => makeCase(7000 + index)).flatMap((one) => {
        const expected = official(one)
        return (expected && difference(one, expected, DistrustedAuthorizer)) ?? []
      })
      expect(found).toEqual([])
    },
  )

  test('agrees on every case that once showed a difference', () => {
    const seeds = existsSync(SEEDS) ? readFileSync(SEEDS, 'utf8').trim().split('\n').map(Number) : []
    expect(differences(seeds.map(makeCase)).found).toEqual([])
  })
})
