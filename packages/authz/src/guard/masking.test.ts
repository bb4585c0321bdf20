import fc from 'fast-check'
import { expect, test } from 'vitest'

import { readDocument } from '../literals/json-document.ts'
import { fieldsOfMask, withoutFields } from './masking.ts'

const masked = (text: string, mask: string): string =>
  JSON.stringify(withoutFields(readDocument(text), fieldsOfMask(mask)))

test('takes fields away at any depth, in lists too, and nothing else', () => {
  const text = '{"id":1,"card":"4111","items":[{"card":{"no":1},"qty":2.50},[{"owner":"ada"}]],"cards":3}'
  expect(masked(text, 'card, owner')).toBe('{"id":1,"items":[{"qty":2.50},[{}]],"cards":3}')
})

test('takes a field away in whatever escapes its name is written', () => {
  expect(masked('{"c\\u0061rd":1,"x":{"\\u0063ard":2}}', 'card')).toBe('{"x":{}}')
})

test('`__proto__` is a field like any other', () => {
  expect(masked('{"__proto__":{"card":1,"x":2}}', 'card')).toBe('{"__proto__":{"x":2}}')
  expect(masked('{"__proto__":{"card":1},"x":2}', '__proto__')).toBe('{"x":2}')
})

test('no masked name is a key of anything that is left, and all else is', () => {
  const keys = fc.constantFrom('card', 'owner', 'id', '__proto__', 'rawJSON', 'name')
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(null, true, 1, 'card', '"card":1', 9_007_199_254_740_991),
      fc.array(tie('tree')),
      fc.array(fc.tuple(keys, tie('tree'))).map((entries) => Object.fromEntries(entries)),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      const hidden = new Set(['card', 'owner'])
      const left: unknown = JSON.parse(masked(JSON.stringify(value), 'card,owner'))
      expect(keysOf(left).filter((key) => hidden.has(key))).toEqual([])
      expect(left).toEqual(JSON.parse(JSON.stringify(value), (_, inner: unknown) => open(inner, hidden)))
    }),
  )
})

function open(value: unknown, hidden: ReadonlySet<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !hidden.has(key)))
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(Array.isArray(value) ? [] : [key]),
    ...keysOf(inner),
  ])
}
