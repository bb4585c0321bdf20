import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openTestIssuer } from '@breakwater/gateway'
import { afterAll, describe, expect, test } from 'vitest'

import { hearing } from '../../../test/hearing.ts'
import { authzCommand } from './authz.ts'

const root = mkdtempSync(join(tmpdir(), 'breakwater-cli-test-token-'))
afterAll(() => rmSync(root, { recursive: true }))
const NOW_MS = Date.UTC(2026, 1, 1)

async function run(folder: string, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
  const command = authzCommand({ terminal, folder, now: () => NOW_MS })
  await command.parseAsync(['test-token', ...args], { from: 'user' })
  return heard
}

function configured(issuer: string): string {
  const folder = mkdtempSync(join(root, 'case-'))
  writeFileSync(
    join(folder, 'breakwater.yaml'),
    `name: shop
listeners: { main: { port: 8080 } }
upstreams: { orders: { endpoints: [127.0.0.1:4001] } }
authorization: { policies: policies, identity: { testIssuer: { ${issuer} } } }
routes: { all: { match: /*, upstream: orders, public: true } }
`,
  )
  return folder
}

const claimsOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('breakwater authz test-token', () => {
  test('makes the key of the configuration when it is missing; the gateway finds the same', async () => {
    const folder = configured('keys: .breakwater/test-issuer, name: trial')
    const { out, err, code } = await run(folder, '--workload', 'reporting', '--tenant', 'acme')
    expect([err, code]).toEqual(['', 0])
    expect(claimsOf(out)).toMatchObject({
      iss: 'trial',
      sub: 'reporting',
      aud: 'shop',
      kind: 'workload',
      tenant: 'acme',
    })
    const keys = join(folder, '.breakwater/test-issuer')
    expect(existsSync(join(keys, 'private.pem'))).toBe(true)
    // Ed25519 is deterministic (RFC 8032): the same key signs the same claims alike.
    const claims = { kind: 'workload', subject: 'reporting', tenant: 'acme', audience: 'shop' } as const
    const again = openTestIssuer(keys, 'trial').sign({ ...claims, validForMs: 3_600_000 }, NOW_MS)
    expect(out).toBe(`${again}\n`)
  })

  test('says what it needs when the configuration holds a public key only', async () => {
    const folder = configured('publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')
    const { out, err, code } = await run(folder, '--user', 'usr_ada')
    expect([out, code]).toEqual(['', 2])
    expect(err).toContain('names no folder in authorization.identity.testIssuer.keys: give --key <file>')
  })

  test('signs with a key file of its own, which it makes once', async () => {
    const folder = mkdtempSync(join(root, 'case-'))
    const made = await run(folder, '--key', 'mine.pem', '--new-key')
    expect(made.out).toMatch(/^[A-Za-z0-9_-]{43}\n$/)
    const second = await run(folder, '--key', 'mine.pem', '--new-key')
    expect([second.err, second.code]).toEqual(['mine.pem is there already\n', 2])
    const { out } = await run(folder, '--key', 'mine.pem', '--audience', 'shop', '--user', 'usr_ada')
    expect(claimsOf(out)).toMatchObject({ sub: 'usr_ada', aud: 'shop', kind: 'user' })
  })

  test('makes no token of nobody, and no key for it', async () => {
    const folder = configured('keys: keys')
    const { err, code } = await run(folder)
    expect([err, code]).toEqual(['give either --user or --workload: a token is of one of them\n', 2])
    expect(existsSync(join(folder, 'keys'))).toBe(false)
  })
})
