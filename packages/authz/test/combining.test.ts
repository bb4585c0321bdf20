import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Authorizer, type AuthzRequest, type Decision } from '../src/index.ts'

/** A policy by what it comes to: its effect, and whether it is satisfied, not satisfied, fails, or speaks of something else. */
interface Piece {
  readonly effect: 'permit' | 'forbid'
  readonly outcome: 'satisfied' | 'not-satisfied' | 'fails' | 'out-of-scope'
}

const request: AuthzRequest = {
  principal: { type: 'User', id: 'ann' },
  action: { type: 'Action', id: 'view' },
  resource: { type: 'Doc', id: 'd1' },
}
const BODIES = {
  satisfied: 'true',
  'not-satisfied': 'false',
  fails: 'principal.missing',
  'out-of-scope': 'true',
} as const

function textOf({ effect, outcome }: Piece, id: string): string {
  const action = outcome === 'out-of-scope' ? 'action == Action::"edit"' : 'action'
  return `@id("${id}") ${effect} (principal, ${action}, resource) when { ${BODIES[outcome]} };`
}

function decide(texts: readonly string[], forbidErrors: 'skip' | 'deny' = 'skip'): Decision {
  return new Authorizer({ policies: { text: texts.join('\n'), ids: 'annotation' }, forbidErrors }).decide(
    request,
  )
}

const pieces = fc.array(
  fc.record<Piece>({
    effect: fc.constantFrom('permit', 'forbid'),
    outcome: fc.constantFrom('satisfied', 'not-satisfied', 'fails', 'out-of-scope'),
  }),
  { maxLength: 8 },
)
const idsOf = (all: readonly Piece[], wanted: Partial<Piece>): string[] =>
  all.flatMap(({ effect, outcome }, index) =>
    (wanted.effect ?? effect) === effect && (wanted.outcome ?? outcome) === outcome ? [`p${index}`] : [],
  )
const texts = (all: readonly Piece[]): string[] => all.map((piece, index) => textOf(piece, `p${index}`))
const runs = { numRuns: 60 }

describe('policies combine', () => {
  test('so that a satisfied forbid denies, else a satisfied permit allows, else nothing does', () => {
    fc.assert(
      fc.property(pieces, (all) => {
        const forbids = idsOf(all, { effect: 'forbid', outcome: 'satisfied' })
        const permits = idsOf(all, { effect: 'permit', outcome: 'satisfied' })
        const { decision, reasons, errors } = decide(texts(all))
        expect(decision).toBe(forbids.length === 0 && permits.length > 0 ? 'allow' : 'deny')
        expect([...reasons].sort()).toEqual(forbids.length > 0 ? forbids : permits)
        expect(errors.map(({ policyId }) => policyId).sort()).toEqual(idsOf(all, { outcome: 'fails' }))
      }),
      runs,
    )
  })

  test('the same in every order', () => {
    fc.assert(
      fc.property(
        pieces.chain((all) =>
          fc.tuple(fc.constant(texts(all)), fc.shuffledSubarray(texts(all), { minLength: all.length })),
        ),
        ([one, other]) => {
          const [a, b] = [decide(one), decide(other)]
          expect([b.decision, [...b.reasons].sort()]).toEqual([a.decision, [...a.reasons].sort()])
        },
      ),
      runs,
    )
  })

  test('so that a forbid more never allows more, and a permit more never takes a forbid away', () => {
    fc.assert(
      fc.property(
        pieces,
        fc.constantFrom<Piece['outcome']>('satisfied', 'not-satisfied', 'fails'),
        (all, outcome) => {
          const before = decide(texts(all))
          const forbidden = decide([...texts(all), textOf({ effect: 'forbid', outcome }, 'more')])
          if (before.decision === 'deny') expect(forbidden.decision).toBe('deny')
          const permitted = decide([...texts(all), textOf({ effect: 'permit', outcome }, 'more')])
          if (idsOf(all, { effect: 'forbid', outcome: 'satisfied' }).length > 0)
            expect(permitted.decision).toBe('deny')
        },
      ),
      runs,
    )
  })

  test('closed, where failing forbids deny', () => {
    fc.assert(
      fc.property(pieces, (all) => {
        if (idsOf(all, { effect: 'forbid', outcome: 'fails' }).length === 0) return
        expect(decide(texts(all), 'deny').decision).toBe('deny')
      }),
      runs,
    )
  })
})
