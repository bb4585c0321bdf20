import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { configCommand } from './config.ts'
import { hearing } from '../../test/hearing.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const good = `listeners:
  public: { port: 8080 }
upstreams:
  orders: { endpoints: [127.0.0.1:4001] }
routes:
  orders: { match: /orders/*, upstream: orders, timeout: 2s }
`

async function run(text: string | undefined, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
  const own = mkdtempSync(join(folder, 'case-'))
  if (text !== undefined) writeFileSync(join(own, 'breakwater.yaml'), text)
  const environment = { BREAKWATER_UPSTREAMS_ORDERS_BULKHEAD_MAX_QUEUE: '7' }
  await configCommand({ terminal, folder: own, environment }).parseAsync(args, { from: 'user' })
  return { ...heard, err: heard.err.replaceAll(own, '<folder>'), out: heard.out.replaceAll(own, '<folder>') }
}

describe('breakwater config validate', () => {
  test('says that a good file is good, and ends with 0', async () => {
    const { out, err, code } = await run(good, 'validate')
    expect([out, err, code]).toEqual([
      '<folder>/breakwater.yaml is valid: 1 listener, 1 upstream, 1 route\n',
      '',
      0,
    ])
  })

  test('tells all mistakes on standard error and ends with 2', async () => {
    const { out, err, code } = await run(
      good.replace('timeout: 2s', 'timeot: 2s').replace('port: 8080', 'port: no'),
      'validate',
    )
    expect(out).toBe('')
    expect(err).toContain('breakwater.yaml:2:19 listeners.public.port: "no" is not a whole number')
    expect(err).toContain(
      'breakwater.yaml:6:49 routes.orders.timeot: unknown key; did you mean timeout? Write timeout.',
    )
    expect(err).toContain('2 mistakes')
    expect(code).toBe(2)
  })

  test('prints the mistakes as JSON for machines', async () => {
    const { out, err, code } = await run(good.replace('2s', 'soon'), 'validate', '--json')
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      ok: false,
      problems: [{ line: 6, path: 'routes.orders.timeout', code: 'BW_CONFIG_VALUE_INVALID' }],
    })
    expect([err, code]).toEqual(['', 2])
  })

  test('takes the file as a word of its own, too', async () => {
    const { err, code } = await run(good, 'validate', 'other.yaml')
    expect(err).toMatch(/^.*other\.yaml: there is no such file\. /)
    expect(code).toBe(2)
  })

  test('names the fix when there is no file', async () => {
    const { err, code } = await run(undefined, 'validate')
    expect(err).toBe(
      'breakwater.yaml: there is no configuration in <folder>. Name an existing file with --config, or create breakwater.yaml: a listener, an upstream and a route are enough.\n',
    )
    expect(code).toBe(2)
  })
})

describe('breakwater config print', () => {
  test('writes out every default, in the words of the file', async () => {
    const { out } = await run(good, 'print')
    expect(out).toContain('    timeout: 2s\n')
    expect(out).toContain('      maxBody: 10MiB\n')
  })

  test('takes the file as validate does', async () => {
    const { out, code } = await run(good, 'print', 'breakwater.yaml')
    expect(out).toContain('    timeout: 2s\n')
    expect(code).toBe(0)
  })

  test('prints the resolved numbers as JSON, limits that are off as false', async () => {
    const { out } = await run(good, 'print', '--json')
    expect(JSON.parse(out)).toMatchObject({ routes: [{ timeoutMs: 2000, perTryTimeoutMs: false }] })
  })
})

describe('breakwater config explain', () => {
  test('tells what is in effect and who said so', async () => {
    const { out } = await run(good, 'explain', 'routes.orders.timeout')
    expect(out).toMatch(/^routes\.orders\.timeout\n {2}value {4}2s\n {2}from {5}.*breakwater\.yaml:6:58\n/)
    expect(out).toContain('range    1ms to 24h, or false')
  })

  test('names the variable that overrides the file', async () => {
    const { out } = await run(good, 'explain', 'upstreams.orders.bulkhead.maxQueue')
    expect(out).toContain(
      'value    7\n  from     the variable BREAKWATER_UPSTREAMS_ORDERS_BULKHEAD_MAX_QUEUE',
    )
  })

  test('guesses at a path that is not there, and ends with 2', async () => {
    const { err, code } = await run(good, 'explain', 'routes.orders.tiemout')
    expect(err).toContain('did you mean routes.orders.timeout?')
    expect(code).toBe(2)
  })
})
