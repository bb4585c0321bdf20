import fc from 'fast-check'
import { expect, test } from 'vitest'

import { digitsOf, isDocumentObject, readDocument, valueIn } from './json-document.ts'

const again = (text: string): string => JSON.stringify(readDocument(text))

test.each([
  '9223372036854775807',
  '-9223372036854775808',
  '18446744073709551616',
  '12.50',
  '1e400',
  '1E-7',
  '-0',
  '0.1000000000000000055511151231257827',
  '123456789012345',
  '1234567890123456789',
])('writes the number %s back as it came', (number) => {
  expect(again(`{"n":[${number}]}`)).toBe(`{"n":[${number}]}`)
})

test('writes every document back as it means', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(again(text))).toEqual(JSON.parse(text))
    }),
  )
})

test.each([
  ['a key twice', '{"a":1,"a":2}'],
  ['a key twice in two spellings', '{"owner":1,"\\u006fwner":2}'],
  ['a key twice far inside', '[{"x":{"a":1,"b":2,"a":3}}]'],
  ['text behind the value', '{} {}'],
  ['half a value', '{"a":'],
  ['NaN', '[NaN]'],
  ['a comment', '{/**/}'],
  ['a comma too many', '[1,]'],
  ['nothing', ''],
  ['too deep nesting', '['.repeat(200) + ']'.repeat(200)],
])('refuses %s', (_, text) => {
  expect(() => readDocument(text)).toThrow(expect.objectContaining({ code: 'BW_AUTHZ_DATA_INVALID' }))
})

test('keeps `__proto__` and half a surrogate pair as what they are', () => {
  expect(again('{"__proto__":{"a":1}}')).toBe('{"__proto__":{"a":1}}')
  expect(again('["\\ud83d"]')).toBe('["\\ud83d"]')
})

test('finds what stands at a place, in own members alone', () => {
  const document = readDocument('{"a":{"b":[1]},"n":1.5,"__proto__":2}')
  expect(valueIn(document, ['a', 'b'])).toEqual([1])
  expect(valueIn(document, [])).toBe(document)
  expect(valueIn(document, ['__proto__'])).toBe(2)
  for (const place of [['c'], ['a', 'b', '0'], ['n', 'rawJSON'], ['toString'], ['a', 'constructor']])
    expect([place, valueIn(document, place)]).toEqual([place, undefined])
  expect(isDocumentObject(valueIn(document, ['n']))).toBe(false)
  expect(digitsOf(valueIn(document, ['n']))).toBe('1.5')
})

test('objects inherit nothing: every key is an ordinary one', () => {
  const document = readDocument('{"a":1}')
  expect(
    isDocumentObject(document) && ['constructor', 'toString', '__proto__'].some((name) => name in document),
  ).toBe(false)
  const text = '{"constructor":1,"toString":2,"hasOwnProperty":{"__proto__":3}}'
  expect(again(text)).toBe(text)
})

test('reads strings of any length', () => {
  for (const inside of ['x'.repeat(3_000_000), '\\n'.repeat(500_000)])
    expect(again(`["${inside}"]`)).toBe(`["${inside}"]`)
})
