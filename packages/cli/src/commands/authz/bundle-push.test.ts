import { copyFileSync, mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { resolveText } from '@breakwater/contract'
import { openControl } from '@breakwater/control'
import { Gateway } from '@breakwater/gateway'
import { openNetDriver } from '@breakwater/http'
import { expect, test } from 'vitest'

import { hearing } from '../../../test/hearing.ts'
import { authzCommand } from './authz.ts'

const shop = join(import.meta.dirname, '../../../../../examples/shop/policies')
const environment = { ADMIN_TOKEN: 's3cret', WRONG: 'other', EMPTY: '' }

async function bundle(folder: string, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
  await authzCommand({ terminal, folder, environment }).parseAsync(['bundle', ...args], { from: 'user' })
  return heard
}

/** A gateway that takes bundles, with its admin API behind a token. */
async function openGateway(folder: string, trusted: string, stack: AsyncDisposableStack): Promise<string> {
  const resolved = resolveText(
    `
listeners: { main: { port: 0 } }
admin: { port: 0, token: { env: ADMIN_TOKEN } }
upstreams: {}
routes: {}
authorization: { bundle: live, trustedKeys: [${trusted}] }
`,
    { baseDir: folder },
  )
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
  const { config } = resolved.value
  if (config.admin.mode === 'off') throw new Error('the admin API is on')
  const driver = openNetDriver()
  stack.defer(() => driver.close())
  const gateway = await Gateway.open(config, { driver })
  stack.defer(() => gateway.close())
  const control = stack.use(await openControl({ gateway, admin: config.admin }, { environment }))
  return `${control.url}/authorization/bundle`
}

test('pushes to a running gateway, and says what it took and what it did not', async () => {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(mkdtempDisposableSync(join(tmpdir(), 'breakwater-push-')))
  const { out } = await bundle(path, 'keygen', 'signing')
  const trusted = /trustedKeys: \[([\w-]{43})\]/.exec(out)?.[1] ?? 'none'
  for (const release of ['1', '2']) {
    await bundle(path, 'build', '-p', shop, '--name', 'breakwater', '--release', release, '-o', 'x')
    await bundle(path, 'sign', 'x', '-k', 'signing.key', '-o', `v${release}`)
  }
  copyFileSync(join(path, 'v1'), join(path, 'live'))
  const to = await openGateway(path, trusted, stack)
  const push = (file: string, ...more: readonly string[]) =>
    bundle(path, 'push', file, '-t', 'signing.pub', '--to', to, ...more)
  const token = ['--token-variable', 'ADMIN_TOKEN']

  const taken = await push('v2', ...token)
  expect(taken).toEqual({ out: `${to}: breakwater@2 accepted, version 2 is in force\n`, err: '', code: 0 })
  expect(readFileSync(join(path, 'live'))).toEqual(readFileSync(join(path, 'v2')))
  expect((await push('v2', ...token)).out).toContain('refreshed, version 2 is in force')

  const older = await push('v1', ...token)
  expect([older.out, older.code]).toEqual(['', 1])
  expect(older.err).toContain(
    `${to} did not take the bundle: 422 BW_CONTROL_BUNDLE_REFUSED: the bundle is refused: version 1 after 2 would go back`,
  )
  expect((await push('v2')).err).toContain('401 BW_CONTROL_TOKEN_REFUSED')
  expect((await push('v2', '--token-variable', 'WRONG')).err).toContain('401 BW_CONTROL_TOKEN_REFUSED')
  const without = await push('v2', '--token-variable', 'EMPTY')
  expect([without.err, without.code]).toEqual(['the variable EMPTY holds no token that can be sent\n', 2])
})
