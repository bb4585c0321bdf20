import { describe, expect, test } from 'vitest'

import { comparePathPatterns, parsePathPattern } from './path-pattern.ts'
import type { PathPattern } from './path-pattern.ts'

function pattern(text: string): PathPattern {
  const parsed = parsePathPattern(text)
  if ('failure' in parsed) throw new Error(parsed.failure)
  return parsed.pattern
}

describe('a path pattern', () => {
  test('is exact, a prefix or a template', () => {
    expect(pattern('/orders').kind).toBe('exact')
    expect(pattern('/orders/*')).toMatchObject({ kind: 'prefix', isPrefix: true })
    expect(pattern('/orders/{id}')).toMatchObject({
      kind: 'template',
      isPrefix: false,
      segments: [
        { kind: 'literal', value: 'orders' },
        { kind: 'parameter', name: 'id' },
      ],
    })
    expect(pattern('/orders/{id}/*')).toMatchObject({ kind: 'template', isPrefix: true })
    expect(pattern('/*').segments).toEqual([])
  })

  test.each([
    ['orders', 'starts with /'],
    ['/a?b', 'no query'],
    ['/a/../b', 'no ..'],
    ['/a/%2E%2e/b', 'no %2E%2e'],
    ['/a/%zz', 'two hexadecimal digits'],
    ['/a/{x}/{x}', 'named twice'],
    ['/a*', 'neither text'],
    ['/a/{x', 'neither text'],
    ['/*/a', 'neither text'],
  ])('refuses %s', (text, reason) => {
    const parsed = parsePathPattern(text)
    expect('failure' in parsed ? parsed.failure : '').toContain(reason)
  })

  test('spells its pieces as RFC 3986 §6.2.2 does', () => {
    expect(pattern('/%6frders/caf%c3%a9').segments).toEqual([
      { kind: 'literal', value: 'orders' },
      { kind: 'literal', value: 'caf%C3%A9' },
    ])
  })

  test('is more specific the further it says what it wants', () => {
    const texts = [
      '/*',
      '/orders/{id}/*',
      '/orders/{id}',
      '/orders/*',
      '/orders',
      '/orders/new',
      '/{any}/new',
    ]
    expect(texts.sort((a, b) => comparePathPatterns(pattern(a), pattern(b)))).toEqual([
      '/orders/new',
      '/orders/{id}',
      '/orders/{id}/*',
      '/orders',
      '/orders/*',
      '/{any}/new',
      '/*',
    ])
  })
})
