import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DecisionLog, readPolicyFolder } from '@breakwater/authz/operate'
import { requestOf } from '@breakwater/authz/testing'
import { afterAll, describe, expect, test } from 'vitest'

import { hearing } from '../../../test/hearing.ts'
import { authzCommand } from './authz.ts'
import { openFolder } from './policies.ts'

const checkout = join(import.meta.dirname, '../../../../..')
const shop = join(checkout, 'examples/shop/policies')
const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-authz-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function runIn(where: string, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
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
    expect(out).toContain('shop.cedar:117:1')
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
    expect(out).toContain('uncovered: shop.cedar:142:1 new never decides')
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
      '- refund: billing-admin, reporting  forbid  forbid  forbid\n+ refund: billing-admin, reporting  allow  allow  forbid\n',
    )
    expect(err).toContain('matrix.golden.txt differs.')
    expect(code).toBe(1)
    expect((await runIn(own, 'matrix', '--update')).code).toBe(0)
    expect((await runIn(own, 'matrix')).code).toBe(0)
  })
})

/** A decision log of the shop: a customer's, support's and a billing admin's questions. */
function recorded(): string {
  const own = mkdtempSync(join(folder, 'log-'))
  const { authorizer } = openFolder({ name: 'shop', path: shop, content: readPolicyFolder(shop) }, true)
  const log = new DecisionLog({ folder: own, contextKeys: ['tenant', 'now', 'amountCents'] })
  const context = {
    workload: { __entity: { type: 'Workload', id: 'billing' } },
    tenant: { __entity: { type: 'Tenant', id: 'acme' } },
    now: { __extn: { fn: 'datetime', arg: '2026-02-01' } },
    amountCents: 4000,
  }
  for (const [user, action, resource] of [
    ['usr_ada', 'viewInvoice', 'Invoice::"i1"'],
    ['usr_sue', 'refund', 'Invoice::"i1"'],
    ['usr_bill', 'refund', 'Invoice::"i1"'],
    ['usr_bill', 'viewInvoice', 'Invoice::"i2"'],
  ] as const) {
    const question = { principal: `User::"${user}"`, action, resource, context: {} }
    const request = requestOf(question, context, authorizer.store.schema)
    log.append({ timeMs: 0, request, decision: authorizer.decide(request) })
    log.flush()
  }
  log.close()
  return own
}

describe('breakwater authz shadow', () => {
  test('says which policies of a candidate change which recorded decisions', async () => {
    const own = copied((text) =>
      text
        .replace('context.amountCents <= 5000', 'context.amountCents <= 1000')
        .replace('resource.tenant == context.tenant', 'true'),
    )
    const { out, code } = await run('shadow', '--candidate', own, '--log', recorded())
    await expect(out).toMatchFileSnapshot(golden('authz-shadow.txt'))
    expect(code).toBe(1)
  })

  test('ends with 0 when nothing would change', async () => {
    const { out, code } = await run('shadow', '--candidate', shop, '--log', recorded())
    expect([out, code]).toEqual(['4 decisions compared, 0 would change\n', 0])
  })

  test('counts the records that the log keeps too little of', async () => {
    const own = recorded()
    const file = join(own, 'decisions-000001.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(',"amountCents":4000', ''))
    const { out } = await run('shadow', '--candidate', shop, '--log', file)
    expect(out).toBe(
      '2 records cannot be asked again: the log keeps too little of them\n2 decisions compared, 0 would change\n',
    )
  })

  test('takes requests from a file too', async () => {
    const requests = join(folder, 'requests.jsonl')
    const uid = (type: string, id: string): object => ({ type, id })
    const request = {
      principal: uid('User', 'x'),
      action: uid('Action', 'viewProducts'),
      resource: uid('Catalog', 'shop'),
      context: { workload: uid('Workload', 'browser') },
    }
    writeFileSync(requests, `${JSON.stringify(request)}\n`)
    const own = copied((text) =>
      text.replace(
        'permit (principal, action == Action::"viewProducts"',
        'permit (principal in Role::"customer", action == Action::"viewProducts"',
      ),
    )
    const { out, code } = await run('shadow', '--candidate', own, '--requests', requests)
    expect(out).toContain(
      '1 now denied by anyone-views-products\n  User::"x" Action::"viewProducts" Catalog::"shop"\n',
    )
    expect(code).toBe(1)
    expect((await run('shadow', '--candidate', own)).code).toBe(2)
  })
})

describe('breakwater authz log verify', () => {
  test('says that a log is whole, and what its head is', async () => {
    const { out, code } = await run('log', 'verify', recorded())
    expect(out).toMatch(/^4 records in 1 files fit, head 4:[0-9a-f]{64}\n$/)
    expect(code).toBe(0)
  })

  test('names file and line of an edit, and ends with 1', async () => {
    const own = recorded()
    const file = join(own, 'decisions-000001.jsonl')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(
        '"result":"allow","who":"User::\\"usr_sue',
        '"result":"deny","who":"User::\\"usr_sue',
      ),
    )
    const { out, code } = await run('log', 'verify', own)
    expect(out).toContain('decisions-000001.jsonl:5 the seal does not fit the 1 records before it (from 2)')
    expect(code).toBe(1)
  })

  test('finds a cut-off end with a seal that was kept', async () => {
    const own = recorded()
    const file = join(own, 'decisions-000001.jsonl')
    const [, head = ''] = /head (\S+)/.exec((await run('log', 'verify', own)).out) ?? []
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, `${lines.slice(0, 7).join('\n')}\n`)
    expect((await run('log', 'verify', own)).code).toBe(0)
    const { out, code } = await run('log', 'verify', own, '--head', head)
    expect(out).toContain('ends at record 3, but record 4 was sealed: its end is cut off')
    expect(code).toBe(1)
  })

  test('ends with 2 when there is nothing to verify', async () => {
    expect((await run('log', 'verify', 'no-such-log')).code).toBe(2)
    expect((await run('log', 'verify', recorded(), '--head', 'abc')).code).toBe(2)
  })
})

describe('breakwater authz bundle', () => {
  test('goes from a folder to a signed file in its place, without ever showing the key', async () => {
    const own = mkdtempSync(join(folder, 'bundle-'))
    const step = (...args: readonly string[]) => runIn(own, 'bundle', ...args)
    const heard = [
      await step('keygen', 'signing'),
      await step('build', '-p', shop, '--name', 'shop', '--release', '7', '-o', 'shop.json'),
      await step('sign', 'shop.json', '-k', 'signing.key', '-o', 'shop.bundle'),
      await step('verify', 'shop.bundle', '-t', 'signing.pub'),
      await step('push', 'shop.bundle', '-t', 'signing.pub', '--to', 'inbox'),
      await step('push', 'shop.bundle', '-t', 'signing.pub', '--to', 'inbox'),
    ]
    const text = heard.map(({ out, err }) => out + err).join('')
    const id = /key id ([0-9a-f]{16})/.exec(text)?.[1] ?? 'none'
    const shown = text.replaceAll(id, '<key id>').replace(/\[[\w-]{43}\]/, '[<public key>]')
    await expect(shown.replace(/from \S+,/, 'from <folder>,')).toMatchFileSnapshot(golden('authz-bundle.txt'))
    expect(heard.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0])
    const secret = readFileSync(join(own, 'signing.key'), 'utf8').split('\n')[1] ?? ''
    expect(secret.length).toBeGreaterThan(40)
    expect(text + readFileSync(join(own, 'shop.bundle'), 'utf8')).not.toContain(secret)
    expect(statSync(join(own, 'signing.key')).mode & 0o077).toBe(0)
    expect(readFileSync(join(own, 'inbox'))).toEqual(readFileSync(join(own, 'shop.bundle')))
  })

  test('refuses a foreign signature, a step back, broken policies and a key that is none', async () => {
    const own = mkdtempSync(join(folder, 'bundle-'))
    const step = (...args: readonly string[]) => runIn(own, 'bundle', ...args)
    await step('keygen', 'a')
    await step('keygen', 'b')
    for (const release of ['1', '2']) {
      await step('build', '-p', shop, '--name', 'shop', '--release', release, '-o', 'x')
      await step('sign', 'x', '-k', 'a.key', '-o', `v${release}`)
    }
    await step('push', 'v2', '-t', 'a.pub', '--to', 'inbox')
    const broken = copied((text) => `${text}permit (principal, action, resource) when { principal.wings };`)
    const refusals = [
      await step('verify', 'v1', '-t', 'b.pub'),
      await step('push', 'v1', '-t', 'a.pub', '--to', 'inbox'),
      await step('build', '-p', broken, '--name', 'shop', '--release', '3', '-o', 'y'),
      await step('sign', 'x', '-k', 'a.pub', '-o', 'y'),
      await step('keygen', 'a'),
      await step('verify', 'v3', '-t', 'a.pub'),
    ]
    const words = [
      'no trusted key signed it',
      'shop@2 is there already',
      'wings',
      'a.pub holds no key',
      'is there already',
      'there is no such file',
    ]
    expect(refusals.map(({ err }, index) => err.includes(words[index] ?? ''))).toEqual(words.map(() => true))
    expect(refusals.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2])
  })

  test('says what an address answered when it does not take the bundle', async () => {
    const own = mkdtempSync(join(folder, 'bundle-'))
    const step = (...args: readonly string[]) => runIn(own, 'bundle', ...args)
    await step('keygen', 'a')
    await step('build', '-p', shop, '--name', 'shop', '--release', '1', '-o', 'x')
    await step('sign', 'x', '-k', 'a.key', '-o', 'v1')
    const { err, code } = await step('push', 'v1', '-t', 'a.pub', '--to', 'http://127.0.0.1:1/bundle')
    expect(err).toContain('http://127.0.0.1:1/bundle did not take the bundle')
    expect(code).toBe(1)
  })
})
