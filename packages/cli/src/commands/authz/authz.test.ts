import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import type { Terminal } from '../terminal.ts'
import { authzCommand } from './authz.ts'

const checkout = join(import.meta.dirname, '../../../../..')
const shop = join(checkout, 'examples/shop/policies')
const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-authz-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function runIn(where: string, ...args: readonly string[]) {
  const heard = { out: '', err: '', code: 0 }
  const terminal: Terminal = {
    write: (part) => (heard.out += part),
    note: (part) => (heard.err += part),
    isColoured: false,
    setExitCode: (code) => (heard.code = code),
    interrupted: () => new AbortController().signal,
  }
  const now = (): number => Date.UTC(2026, 1, 1)
  await authzCommand({ terminal, folder: where, now }).parseAsync(args, { from: 'user' })
  return heard
}

const run = (...args: readonly string[]) => runIn(checkout, ...args)
const golden = (name: string): string => join(checkout, 'packages/cli/test/golden', name)

/** A copy of the shop's policies to break. */
function copied(change: (text: string) => string): string {
  const own = mkdtempSync(join(folder, 'case-'))
  cpSync(shop, own, { recursive: true })
  writeFileSync(join(own, 'shop.cedar'), change(readFileSync(join(own, 'shop.cedar'), 'utf8')))
  return own
}

describe('breakwater authz test', () => {
  test("passes on the shop's policies with every condition covered", async () => {
    const { out, err, code } = await run('test', '--min-coverage', '1')
    await expect(out).toMatchFileSnapshot(golden('authz-test.txt'))
    expect([err, code]).toEqual(['', 0])
  })

  test('names the test, the difference and the deciding line when a rule is gone', async () => {
    const own = copied((text) => text.replace('Duty::"refunds"', 'Duty::"shop-front"'))
    const { out, code } = await runIn(own, 'test', '--junit', 'report.xml')
    expect(out).toContain(
      'failed: money.yaml: support refunds a small amount\n  decision: expected allow, got deny',
    )
    expect(out).toContain('shop.cedar:77:1')
    expect(code).toBe(1)
    const xml = readFileSync(join(own, 'report.xml'), 'utf8')
    expect(xml).toMatch(/<testsuite name="authz" tests="\d+" failures="[1-9]\d*">/)
    expect(xml).toContain('<failure message="decision: expected allow, got deny')
  })

  test('names what no test tries, and fails below the coverage asked for', async () => {
    const own = copied(
      (text) =>
        `${text}\n@id("new")\npermit (principal in Role::"support", action == Action::"checkout", resource)\nwhen { principal.tenant == resource };\n`,
    )
    const { out, code } = await runIn(own, 'test', '--min-coverage', '1')
    expect(out).toContain('uncovered: shop.cedar:98:1 new never decides')
    expect(out).toContain('new: `principal.tenant == resource` is never true nor false')
    expect(out).toContain('coverage is below 100.0 %')
    expect(code).toBe(1)
  })

  test('refuses policies whose forbids may fail, as production does', async () => {
    const own = copied(
      (text) =>
        `${text}\nforbid (principal, action == Action::"refund", resource) when { context.amountCents * 2 > 10 };\n`,
    )
    const { err, code } = await runIn(own, 'test')
    expect(err).toContain('BW_AUTHZ_POLICY_REFUSED')
    expect(err).toContain('may leave 64 bits and then not forbid')
    expect(code).toBe(2)
  })

  test('complains about a misspelt expectation instead of expecting nothing', async () => {
    const own = copied((text) => text)
    writeFileSync(
      join(own, 'tests/wrong.yaml'),
      'tests: [{ name: a, principal: User::"a", action: refund, resource: Invoice::"i1", expect: deny, becuase: [x] }]\n',
    )
    const { err, code } = await runIn(own, 'test')
    expect(err).toContain('BW_AUTHZ_TEST_INVALID: wrong.yaml: tests[0]: becuase: unknown')
    expect(code).toBe(2)
  })
})

describe('breakwater authz explain', () => {
  test('says which line keeps the reporting job from refunding, whoever the user is', async () => {
    const { out, code } = await run(
      'explain',
      '--workload',
      'reporting',
      '--user',
      'u1',
      '--action',
      'refund',
    )
    await expect(out).toMatchFileSnapshot(golden('authz-explain-deny.txt'))
    expect(code).toBe(0)
  })

  test('says who permits, and what has to be done as well', async () => {
    const { out } = await run(
      'explain',
      '--user',
      'usr_olga',
      '--action',
      'viewInvoice',
      '--resource',
      'Invoice::"i1"',
    )
    await expect(out).toMatchFileSnapshot(golden('authz-explain-allow.txt'))
  })

  test('says why a request never came to the policies', async () => {
    const { out } = await run('explain', '--user', 'u1', '--action', 'fly', '--resource', 'Invoice::"i1"')
    expect(out).toContain(
      'deny: the schema does not know the action Action::"fly" (BW_AUTHZ_REQUEST_INVALID)',
    )
  })

  test('prints JSON for machines', async () => {
    const { out } = await run(
      'explain',
      '--user',
      'u1',
      '--workload',
      'billing',
      '--action',
      'refund',
      '--json',
    )
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      decision: 'allow',
      reasons: ['billing-admins-refund-to-their-limit'],
    })
  })
})

describe('breakwater authz can', () => {
  test('ends with 0 for an allow and with 1 for a deny', async () => {
    const ask = (resource: string) =>
      run('can', '--user', 'usr_ada', '--action', 'viewInvoice', '--resource', resource)
    expect(await ask('Invoice::"i1"')).toEqual({ out: 'allow\n', err: '', code: 0 })
    expect(await ask('Invoice::"i2"')).toEqual({ out: 'deny\n', err: '', code: 1 })
  })

  test('ends with 2 when the question cannot be asked', async () => {
    expect((await run('can', '--user', 'a', '--action', 'refund', '--resource', 'i1')).code).toBe(2)
    expect((await run('can', '--action', 'refund')).code).toBe(2)
    expect((await run('can', '--user', 'a', '--action', 'refund', '--policies', 'no-such-folder')).code).toBe(
      2,
    )
    expect((await run('can', '--user', 'a', '--action', 'refund', '--context', '{')).code).toBe(2)
  })
})

describe('breakwater authz matrix', () => {
  test("agrees with the shop's golden file", async () => {
    const { out, err, code } = await run('matrix')
    expect(out).toBe(readFileSync(join(shop, 'matrix.golden.txt'), 'utf8'))
    expect([err, code]).toEqual(['', 0])
  })

  test('shows the row that a change of policy changes', async () => {
    const own = copied((text) =>
      text.replace('unless { context.workload in Duty::"refunds" }', 'when { false }'),
    )
    const { err, code } = await runIn(own, 'matrix')
    expect(err).toContain(
      '- refund: billing-admin, reporting  forbid  forbid\n+ refund: billing-admin, reporting  allow  forbid\n',
    )
    expect(err).toContain('matrix.golden.txt differs.')
    expect(code).toBe(1)
    expect((await runIn(own, 'matrix', '--update')).code).toBe(0)
    expect((await runIn(own, 'matrix')).code).toBe(0)
  })
})
