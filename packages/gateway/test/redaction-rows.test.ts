import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import type { DecisionEntry } from '@breakwater/authz/operate'
import { describe, expect, test } from 'vitest'

import { legacyShop } from '../drills/authz/legacy.ts'
import { POLICIES } from '../drills/authz/policies.ts'
import { newFolder, newWorld, shopIn } from './support/guarded-shop.ts'
import { LegacyStand, codeIn, json } from './support/legacy.ts'

const LISTS = '@id("list") permit (principal in Role::"customer", action == Action::"listOrders", resource);'
const rows = (more: object = {}) => ({
  answer: { rows: { list: 'orders', type: 'Order', action: 'viewOrder', ...more } },
})
const order = (id: unknown, owner: unknown, tenant = 'acme', more = ''): string =>
  `{"id":${JSON.stringify(id)},"owner":${JSON.stringify(owner)},"tenant":"${tenant}"${more}}`
const orders = (...list: readonly string[]): string => json(`{"orders":[${list.join()}],"total":99}`)
const idsIn = (body: string): unknown => [...body.matchAll(/"id":("[^"]*"|\d+)/g)].map(([, id]) => id)

describe('a gateway that filters rows by itself', () => {
  test('shows each caller the rows that the policies allow, and nothing of the others', async () => {
    const stand = await LegacyStand.open(rows({ count: 'total' }))
    const bytes = orders(
      order('a1', 'ada'),
      order('g1', 'grace'),
      order('e1', 'edsger', 'globex'),
      order('a2', 'ada'),
    )
    const ada = await stand.askFor(bytes.replace('\r\n', '\r\nX-Total-Count: 4\r\n'), 'ada')
    expect(ada.body).toBe(`{"orders":[${order('a1', 'ada')},${order('a2', 'ada')}],"total":2}`)
    expect(ada.fields.has('x-total-count')).toBe(false)
    expect((await stand.askFor(bytes, 'grace')).body).toBe(`{"orders":[${order('g1', 'grace')}],"total":1}`)
    // Support sees the tenant; the list is masked as a whole.
    expect(idsIn((await stand.askFor(bytes, 'sue')).body)).toEqual(['"a1"', '"g1"', '"a2"'])
  })

  test('leaves counts alone that nobody named', async () => {
    const stand = await LegacyStand.open(rows())
    expect((await stand.askFor(orders(order('g1', 'grace')), 'ada')).body).toBe('{"orders":[],"total":99}')
  })

  test('finds them wherever they are, also as the whole answer', async () => {
    const root = await LegacyStand.open(rows({ list: '$' }))
    const list = `[${order('g1', 'grace')},${order('a1', 'ada')}]`
    expect((await root.askFor(json(list), 'ada')).body).toBe(`[${order('a1', 'ada')}]`)
    const deep = await LegacyStand.open(rows({ list: 'data.items', count: 'meta.n' }))
    const answer = await deep.askFor(json(`{"data":{"items":${list},"x":1.0},"meta":{"n":2}}`), 'ada')
    expect(answer.body).toBe(`{"data":{"items":[${order('a1', 'ada')}],"x":1.0},"meta":{"n":1}}`)
  })

  test('reads a row where the service keeps what the schema asks for', async () => {
    const attributes = { owner: 'customer.no', tenant: 'shop' }
    const stand = await LegacyStand.open(rows({ id: 'no', attributes }))
    const row = (no: string, customer: string): string =>
      `{"no":${no},"customer":{"no":"${customer}"},"shop":"acme","sum":1.10}`
    const answer = await stand.askFor(orders(row('18446744073709551615', 'ada'), row('2', 'eve')), 'ada')
    expect(answer.body).toContain(`[${row('18446744073709551615', 'ada')}]`)
  })

  test.each([
    ['no id', '{"owner":"ada","tenant":"acme"}'],
    ['an id that is none', order({ id: 1 }, 'ada')],
    ['an empty id', order('', 'ada')],
    ['no owner', '{"id":"x","tenant":"acme"}'],
    ['an owner that is none', order('x', ['ada'])],
    ['nothing but text', '"ada"'],
    ['null', 'null'],
    ['a list', `[${order('x', 'ada')}]`],
  ])('leaves out a row with %s, and counts it', async (_, row) => {
    const stand = await LegacyStand.open(rows())
    const answer = await stand.askFor(orders(row, order('a1', 'ada'), order('g1', 'grace')), 'ada')
    expect(answer.body).toContain(`"orders":[${order('a1', 'ada')}]`)
    const exposed = stand.shop.gateway.registry.expose()
    expect(exposed).toMatch(/rows_withheld_total\{route="legacy",reason="unreadable"\} 1\n/)
    expect(exposed).toMatch(/rows_withheld_total\{route="legacy",reason="denied"\} 1\n/)
  })

  test('decides on what it knows as on every other route, whatever the row says', async () => {
    const stand = await LegacyStand.open(rows())
    const answer = await stand.askFor(orders(order('o3', 'ada'), order('o1', 'eve', 'globex')), 'ada')
    expect(idsIn(answer.body)).toEqual(['"o1"'])
  })

  test('masks within a row what the decision on that row masks', async () => {
    const neighbours = `@id("neighbours") @obligation_mask("card")
      permit (principal in Role::"customer", action == Action::"viewOrder", resource)
      when { resource.tenant == context.tenant } unless { resource.owner == principal };`
    const stand = await LegacyStand.open(rows(), { policies: POLICIES + LISTS + neighbours })
    const card = ',"card":"4111"'
    const bytes = orders(order('a1', 'ada', 'acme', card), order('g1', 'grace', 'acme', card))
    const answer = await stand.askFor(bytes, 'ada')
    expect(answer.body).toContain(`[${order('a1', 'ada', 'acme', card)},${order('g1', 'grace')}]`)
  })

  test('leaves out a row on which nobody here can do what is obliged', async () => {
    const dance = '@obligation_dance("now") permit (principal, action == Action::"viewOrder", resource);'
    const stand = await LegacyStand.open(rows(), { policies: LISTS + dance })
    expect((await stand.askFor(orders(order('a1', 'ada')), 'ada')).body).toContain('"orders":[]')
  })

  test('counts a right that was taken away for the next list', async () => {
    const stand = await LegacyStand.open(rows())
    expect(idsIn((await stand.askFor(orders(order('o1', 'ada')), 'ada')).body)).toEqual(['"o1"'])
    const attrs = { tenant: { type: 'Tenant', id: 'acme' }, owner: { type: 'User', id: 'grace' } }
    stand.shop.gateway.entities?.apply({ upsert: [{ uid: { type: 'Order', id: 'o1' }, attrs }] })
    expect(idsIn((await stand.askFor(orders(order('o1', 'ada')), 'ada')).body)).toEqual([])
  })

  test.each([
    ['before its head', 0],
    ['within it', 90],
  ])('decides by the policies that are in force when the answer is there: changed %s', async (_, at) => {
    const folder = newFolder()
    const stand = await LegacyStand.open(rows(), { authorization: { decisionLog: folder } })
    const { gateway } = stand.shop
    const bytes = orders(order('a1', 'ada'))
    stand.serve = (transport) => {
      transport.write(bytes.slice(0, at))
      stand.world.clock.schedule(2000, () => transport.write(bytes.slice(at)))
    }
    const client = stand.shop.stay(stand.shop.request('GET', '/legacy/acme', { person: 'ada' }))
    await stand.world.run(500)
    writeFileSync(join(stand.shop.folder, 'shop.cedar'), LISTS)
    await gateway.reload(gateway.config)
    await stand.world.run(4000)
    expect(client.received).toContain('{"orders":[],"total":99}')
    const [name = ''] = readdirSync(folder)
    expect(readFileSync(join(folder, name), 'utf8')).toContain(
      '"rows":{"kept":[],"dropped":1,"unreadable":0}',
    )
    client.close()
  })

  test.each([
    ['no list', '{"items":[]}'],
    ['something else in its place', '{"orders":{"a1":{"owner":"grace"}}}'],
    ['a text in its place', '{"orders":"grace"}'],
    ['a list around it', `[{"orders":[${order('g1', 'grace')}]}]`],
  ])('refuses an answer with %s', async (_, body) => {
    const stand = await LegacyStand.open(rows())
    const answer = await stand.askFor(json(body), 'ada')
    expect([answer.status, codeIn(answer)]).toEqual([502, 'BW_GATEWAY_ANSWER_UNREADABLE'])
  })

  test('takes null for a list without rows', async () => {
    const stand = await LegacyStand.open(rows())
    expect((await stand.askFor(json('{"orders":null}'), 'ada')).body).toBe('{"orders":null}')
  })

  test('passes an error on that holds no list, and filters one that does', async () => {
    const stand = await LegacyStand.open(rows())
    const plain = await stand.askFor(json('{"why":"no"}', [], '400 Bad Request'), 'ada')
    expect([plain.status, plain.body]).toEqual([400, '{"why":"no"}'])
    const list = `{"orders":[${order('g1', 'grace')}]}`
    expect((await stand.askFor(json(list, [], '500 Oops'), 'ada')).body).toBe('{"orders":[]}')
    const root = await LegacyStand.open(rows({ list: '$' }))
    expect((await root.askFor(json('{"why":"no"}', [], '404 No'), 'ada')).body).toBe('{"why":"no"}')
  })

  test('does not make an empty list of it when no decisions can be made', async () => {
    const stand = await LegacyStand.open(rows(), {
      deps: {
        decisionPoint: {
          decide: () => ({
            decision: 'allow',
            reasons: [],
            errors: [],
            policyVersion: 'v',
            obligations: [],
            engine: 'compiled',
          }),
        },
      },
    })
    const answer = await stand.askFor(orders(order('a1', 'ada')), 'ada')
    expect([answer.status, codeIn(answer)]).toEqual([503, 'BW_GATEWAY_AUTHORIZATION_FAILED'])
  })
})

describe('the decisions on rows', () => {
  const bytes = orders(order('a1', 'ada'), order('g1', 'grace'), 'null')

  test('are one record, which names what was shown', async () => {
    const entries: DecisionEntry[] = []
    const recorder = {
      append: (entry: DecisionEntry) => ({ written: async () => void entries.push(entry) }),
    }
    const stand = await LegacyStand.open(rows(), { deps: { decisionRecorder: recorder } })
    expect(idsIn((await stand.askFor(bytes, 'ada')).body)).toEqual(['"a1"'])
    await stand.askFor(orders(order('g1', 'grace')), 'ada')
    await stand.askFor(orders(), 'ada')
    const [, first, , second, ...others] = entries
    expect(first).toMatchObject({
      request: { action: { id: 'viewOrder' }, resource: { type: 'Tenant', id: 'acme' } },
      decision: { decision: 'allow', reasons: ['customers-see-their-own'] },
      rows: { kept: ['a1'], dropped: 1, unreadable: 1 },
    })
    expect(second).toMatchObject({
      decision: { decision: 'deny' },
      rows: { kept: [], dropped: 1, unreadable: 0 },
    })
    // Of an empty list nothing was asked.
    expect(others.map((entry) => entry.rows)).toEqual([undefined])
  })

  test('are written before anybody sees a row: without a record there is no answer', async () => {
    let isFull = false
    const recorder = {
      append: (entry: DecisionEntry) => ({
        written: async () => {
          if (entry.rows !== undefined) isFull = true
          if (isFull) throw new Error('full')
        },
      }),
    }
    const stand = await LegacyStand.open(rows(), { deps: { decisionRecorder: recorder } })
    const answer = await stand.askFor(bytes, 'ada')
    expect([answer.status, codeIn(answer)]).toEqual([503, 'BW_GATEWAY_DECISION_UNRECORDED'])
    expect(answer.body).not.toContain('"id"')
  })

  test('stand in the hash-chained log as well', async () => {
    const folder = newFolder()
    const stand = await LegacyStand.open(rows(), { authorization: { decisionLog: folder } })
    expect(idsIn((await stand.askFor(bytes, 'ada')).body)).toEqual(['"a1"'])
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 2 })
    const [name = ''] = readdirSync(folder)
    expect(readFileSync(join(folder, name), 'utf8')).toContain(
      '"rows":{"kept":["a1"],"dropped":1,"unreadable":1}',
    )
  })

  test('come too late for a request that is over', async () => {
    const waiting: (() => void)[] = []
    const entries: DecisionEntry[] = []
    const decisionRecorder = {
      append(entry: DecisionEntry) {
        entries.push(entry)
        const isLate = entry.rows !== undefined
        return {
          written: () => (isLate ? new Promise<void>((resolve) => waiting.push(resolve)) : Promise.resolve()),
        }
      },
    }
    const stand = await LegacyStand.open(rows(), { deps: { decisionRecorder }, route: { timeout: '400ms' } })
    const long = order('a1', 'ada', 'acme', `,"text":"${'x'.repeat(70_000)}"`)
    const late = await stand.askFor(orders(long), 'ada')
    expect([late.status, codeIn(late)]).toEqual([504, 'BW_GATEWAY_UPSTREAM_TIMEOUT'])
    for (const resolve of waiting) resolve()
    await stand.world.run(10)
    stand.shop.gateway.entities?.apply({ upsert: [] })
    await stand.world.run(2000)
    // The list and its rows, and nobody asks about an answer that is over.
    expect(entries.length).toBe(2)
  })
})

describe('a route that asks about rows is refused at load, by name,', () => {
  test.each([
    ['for a type that the schema does not know', { type: 'Ordre' }, 'does not know the entity type Ordre'],
    ['for an action that it does not know', { action: 'seeOrder' }, 'does not know the action seeOrder'],
    [
      'for an action on something else',
      { action: 'viewInvoice' },
      'viewInvoice is nothing that is done to Order',
    ],
    ['for an attribute that it does not know', { attributes: { ownr: 'x' } }, 'Order has no attribute ownr'],
  ])('%s', async (_, more, message) => {
    const opened = shopIn(newWorld(), legacyShop(rows(more)))
    await expect(opened).rejects.toThrow(/the route legacy asks about rows/)
    await expect(opened).rejects.toThrow(message)
  })

  test('when it does not tell the policies what the action wants to know', async () => {
    const opened = shopIn(newWorld(), legacyShop({ ...rows(), context: ['workload'] }))
    await expect(opened).rejects.toThrow(
      'the route legacy asks about rows, and viewOrder wants tenant in context',
    )
  })
})
