import { defineErrors } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { openLogger } from './logger.ts'

function openIntoMemory() {
  const lines: string[] = []
  const log = openLogger({
    name: 'gateway',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  })
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
  return { log, lines, last }
}

describe('the log of a process', () => {
  test('says who, when and how bad in words', () => {
    const { log, last } = openIntoMemory()
    log.warn({ port: 8080 }, 'listening')
    expect(last()).toMatchObject({ name: 'gateway', level: 'warn', port: 8080, msg: 'listening' })
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  test.each([
    ['a header', { headers: { Authorization: 's3cret', accept: 'x' } }],
    ['a cookie deep inside', { a: { b: [{ request: { 'Set-Cookie': ['s3cret'] } }] } }],
    [
      'a key by its ending',
      { clientSecret: 's3cret', access_token: 's3cret', 'x-api-key': 's3cret', dbPassword: 's3cret' },
    ],
    ['an object under a key that names a secret', { secret: { nested: 's3cret' } }],
    ['a bearer token in text', { note: 'sent Bearer s3cret-s3cret-s3cret' }],
    ['a password in a URL', { url: 'postgres://shop:s3cret@db/orders' }],
    ['a map', { fields: new Map([['cookie', 's3cret']]) }],
    ['the cause of an error', { err: new Error('outer', { cause: new Error('Basic s3crets3cret') }) }],
  ])('shows no secret in %s', (_where, record) => {
    const { log, lines } = openIntoMemory()
    log.info(record, 'something happened')
    expect(lines[0]).not.toContain('s3cret')
    expect(lines[0]).toContain('***')
  })

  test('shows no secret in the message, its arguments and the bindings of a child', () => {
    const { log, lines } = openIntoMemory()
    log.child({ token: 's3cret' }).info('called with Bearer s3crets3cret and %s', 'Basic s3crets3cret')
    expect(lines[0]).not.toContain('s3cret')
  })

  test('leaves alone what only sounds like a secret', () => {
    const { log, last } = openIntoMemory()
    log.info({ tokens: 12, secretary: 'Ada', url: 'http://catalog:4104/products' })
    expect(last()).toMatchObject({ tokens: 12, secretary: 'Ada', url: 'http://catalog:4104/products' })
  })

  test('says code, fault, details and cause of an error', () => {
    const { log, last } = openIntoMemory()
    const made = defineErrors({
      BW_TEST_BROKEN: { fault: 'upstream', retry: 'never', status: 502, fix: 'Mend it.' },
    })
    log.error(made.BW_TEST_BROKEN('it broke', { details: { port: 1 }, cause: new TypeError('why') }))
    expect(last()['err']).toMatchObject({
      type: 'BreakwaterError',
      code: 'BW_TEST_BROKEN',
      fault: 'upstream',
      message: 'it broke',
      details: { port: 1 },
      cause: { type: 'TypeError', message: 'why' },
    })
  })

  test('survives a record that contains itself', () => {
    const { log, last } = openIntoMemory()
    const loop: Record<string, unknown> = { name: 'loop' }
    loop['self'] = loop
    log.info({ loop }, 'round')
    expect(last()['msg']).toBe('round')
  })
})
