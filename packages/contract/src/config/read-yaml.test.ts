import { expect, test } from 'vitest'
import { readYaml } from './read-yaml.ts'

test('reads YAML and JSON into plain values', () => {
  expect(readYaml('a: [1, two]\n', 'x.yaml')).toEqual({ ok: true, value: { a: [1, 'two'] } })
  expect(readYaml('{"a": true}', 'x.json')).toEqual({ ok: true, value: { a: true } })
})

test('tells mistakes with their place, a duplicate key among them', () => {
  expect(readYaml('a: 1\na: 2\n', 'x.yaml')).toMatchObject({
    ok: false,
    error: [{ file: 'x.yaml', line: 2, code: 'BW_CONFIG_KEY_DUPLICATE' }],
  })
})

test('does not pass over a second document in silence', () => {
  expect(readYaml('a: 1\n---\na: 2\n', 'x.yaml')).toMatchObject({
    ok: false,
    error: [{ file: 'x.yaml', line: 2, message: 'a second document; only one is allowed' }],
  })
})

test.each(['a: [1\n', 'a: { b: 1\nc: 2\n'])('says that a bracket is not closed: %j', (text) => {
  expect(readYaml(text, 'x.yaml')).toMatchObject({
    ok: false,
    error: [{ file: 'x.yaml', line: 2, message: 'a bracket or brace above is not closed' }],
  })
})
