import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { hearing } from '../../../test/hearing.ts'
import { authzCommand } from './authz.ts'

const policies = join(import.meta.dirname, '../../../../../examples/shop/policies')
const root = mkdtempSync(join(tmpdir(), 'breakwater-cli-bola-'))
afterAll(() => rmSync(root, { recursive: true }))

async function run(folder: string, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
  const command = authzCommand({ terminal, folder, now: () => Date.UTC(2026, 1, 1) })
  await command.parseAsync(['fuzz-bola', ...args], { from: 'user' })
  return heard
}

const ROUTES = `  order:
    match: '/orders/{id}'
    upstream: orders
    authorize:
      action: { GET: viewOrder }
      resource: { type: Order, id: '{id}' }
      context: [workload, tenant, now]
      obligations: [mask]
`

/** The shop's policies with another order of a customer, before a gateway that asks for the order itself. */
function world(change: (policies: string) => string = (text) => text, routes: string = ROUTES): string {
  const folder = mkdtempSync(join(root, 'case-'))
  cpSync(policies, join(folder, 'policies'), { recursive: true })
  const cedar = join(folder, 'policies/shop.cedar')
  writeFileSync(cedar, change(readFileSync(cedar, 'utf8')))
  writeFileSync(
    join(folder, 'breakwater.yaml'),
    `listeners: { main: { port: 8080 } }
upstreams: { orders: { endpoints: [127.0.0.1:4001] } }
authorization: { policies: policies, identity: { testIssuer: { keys: keys } } }
routes:
${routes}`,
  )
  return folder
}

describe('breakwater authz fuzz-bola', () => {
  test('finds no way to objects of others with the policies of the shop', async () => {
    const { out, err, code } = await run(world())
    expect(out).toMatch(
      /^\d{4,} requests by 10 users for \d+ objects, over order\n0 went on with nothing of others in them\n0 leaks\n$/,
    )
    expect([err, code]).toEqual(['', 0])
  })

  test('finds the rule that lets every customer see every order of the tenant, and ends with 1', async () => {
    const leaky = world((text) => text.replace('when { resource.owner == principal };', ';'))
    const { out, code } = await run(leaky)
    expect(out).toContain('usr_ada: GET /orders/o3 (route order): an object of usr_grace, a peer\n')
    expect(out).not.toContain('/orders/o2')
    expect(code).toBe(1)
  })

  test('finds the missing rule that keeps tenants apart', async () => {
    const leaky = world((text) =>
      text.replace('unless { resource.tenant == context.tenant };', 'unless { true };'),
    )
    const { out, code } = await run(leaky, '--json')
    const report = JSON.parse(out) as {
      readonly leaks: readonly { readonly user: string; readonly why: string }[]
    }
    expect(report.leaks).toContainEqual(
      expect.objectContaining({ user: 'usr_sue', path: '/orders/o2', why: 'an object of the tenant globex' }),
    )
    expect(code).toBe(1)
  })

  test('says what it needs', async () => {
    const folder = world()
    writeFileSync(join(folder, 'policies/examples.json'), '[]')
    writeFileSync(join(folder, 'policies/entities.json'), '[]')
    const { err, code } = await run(folder)
    expect(err).toBe('examples.json beside the policies names fewer than two users with a tenant\n')
    expect(code).toBe(2)
  })
})
