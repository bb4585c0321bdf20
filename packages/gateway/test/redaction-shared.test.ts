import type { ConfigInput } from '@breakwater/contract'
import { describe, expect, test } from 'vitest'

import { BARE_UPSTREAM } from '../drills/lab/config.ts'
import type { Person } from '../drills/authz/policies.ts'
import { LegacyStand, codeIn, json } from './support/legacy.ts'

const FULL = '{"id":"o1","card":"4111"}'
const MASKED = '{"id":"o1"}'
const MASKING = { answer: true } as const
const TOLD = { obligations: ['mask'] }
const SHARING: Partial<ConfigInput['routes'][string]> = {
  coalesce: { varyBy: [] },
  staleIfError: { ttl: '10m', varyBy: [] },
  ladder: { steps: [{ serve: 'stale' }] },
  idempotencyKey: true,
}

/** From now on Bill, who saw everything, is support, which sees no cards. */
function demote(stand: LegacyStand): void {
  const tenant = { type: 'Tenant', id: 'acme' }
  stand.shop.gateway.entities?.apply({
    upsert: [
      { uid: { type: 'User', id: 'bill' }, attrs: { tenant }, parents: [{ type: 'Role', id: 'support' }] },
    ],
  })
}

describe('an answer from which something is withheld', () => {
  test('is shared with nobody, and nobody else’s is given for it', async () => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    stand.serve = (transport) => void stand.world.clock.schedule(50, () => transport.write(json(FULL)))
    const ask = (person: Person): string => stand.shop.request('GET', '/legacy/acme', { person })
    const answers = await stand.shop.sendAll(['sue', 'sue', 'bill', 'bill'].map((one) => ask(one as Person)))
    expect(answers.map(({ text }) => text.slice(text.indexOf('{')))).toEqual([MASKED, MASKED, FULL, FULL])
    expect(stand.heads.length).toBe(3) // only Bill's two shared one
  })

  test('is not taken from a call that is under way for when more was allowed', async () => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    stand.serve = (transport) => void stand.world.clock.schedule(500, () => transport.write(json(FULL)))
    const request = stand.shop.request('GET', '/legacy/acme', { person: 'bill' })
    const first = stand.shop.stay(request)
    await stand.world.run(250)
    demote(stand)
    const { text } = await stand.shop.send(request)
    expect(text.slice(text.indexOf('{'))).toBe(MASKED)
    expect(first.received.slice(first.received.indexOf('{'))).toBe(FULL)
    first.close()
  })

  test('is not kept for when the service fails', async () => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    expect((await stand.askFor(json(FULL))).body).toBe(MASKED)
    expect((await stand.askFor(json('{}', [], '503 Down'))).status).toBe(503)
  })

  test('is not replaced by one that was kept when more was allowed', async () => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    expect((await stand.askFor(json(FULL), 'bill')).body).toBe(FULL)
    expect((await stand.askFor(json('{}', [], '503 Down'), 'bill')).body).toBe(FULL)
    demote(stand)
    const answer = await stand.askFor(json('{}', [], '503 Down'), 'bill')
    expect([answer.status, answer.body]).toEqual([503, '{}'])
  })

  test('is replayed for its key with no more than is allowed now', async () => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    const again = async (): Promise<string> =>
      (
        await stand.askFor(json(FULL, ['ETag: "1"']), 'bill', 'POST', [
          'Idempotency-Key: k',
          'Content-Length: 0',
        ])
      ).body
    expect(await again()).toBe(FULL)
    demote(stand)
    expect(await again()).toBe(MASKED)
    expect(stand.heads.length).toBe(1)
  })

  test.each([
    'Content-Type: text/plain',
    'X-Type: none',
    'Content-Type: application/json\r\nContent-Encoding: x',
  ])('is not replayed for its key when nothing can be withheld from what was kept: %s', async (fields) => {
    const stand = await LegacyStand.open(MASKING, { route: SHARING })
    const bytes = `HTTP/1.1 200 OK\r\n${fields}\r\nContent-Length: 4\r\n\r\n4111`
    const again = async () => stand.askFor(bytes, 'bill', 'POST', ['Idempotency-Key: k', 'Content-Length: 0'])
    expect((await again()).body).toBe('4111')
    demote(stand)
    const answer = await again()
    expect([answer.status, codeIn(answer)]).toEqual([502, 'BW_GATEWAY_ANSWER_UNREADABLE'])
    expect(stand.heads.length).toBe(1)
  })

  test('is replayed for its key without rows that are no longer allowed', async () => {
    const rows = { list: '$', type: 'Order', action: 'viewOrder' }
    const stand = await LegacyStand.open({ answer: { rows } }, { route: SHARING })
    const again = async (): Promise<string> =>
      (
        await stand.askFor(json('[{"id":"o1"},{"id":"o2"}]'), 'ada', 'POST', [
          'Idempotency-Key: k',
          'Content-Length: 0',
        ])
      ).body
    expect(await again()).toBe('[{"id":"o1"}]')
    const attrs = { tenant: { type: 'Tenant', id: 'acme' }, owner: { type: 'User', id: 'grace' } }
    stand.shop.gateway.entities?.apply({ upsert: [{ uid: { type: 'Order', id: 'o1' }, attrs }] })
    expect(await again()).toBe('[]')
    expect(stand.heads.length).toBe(1)
  })

  test('comes from the next upstream of the ladder as masked, and what the ladder says itself as it is', async () => {
    const ladder = (step: object) => ({ ladder: { statuses: [503], steps: [step] } }) as object
    const other = await LegacyStand.open(MASKING, {
      route: ladder({ serve: 'upstream', upstream: 'other' }),
      upstreams: { other: { endpoints: ['legacy:80'] } },
    })
    other.serve = (transport) =>
      transport.write(other.heads.length === 1 ? json(FULL, [], '503 Down') : json(FULL))
    expect((await other.ask()).body).toBe(MASKED)
    const fixed = { serve: 'static', status: 503, contentType: 'text/plain', body: 'later' }
    const own = await LegacyStand.open(MASKING, { route: ladder(fixed) })
    expect((await own.askFor(json(FULL, [], '503 Down'))).body).toBe('later')
  })
})

test('of two answers to a hedged read the first is masked, and the other is nobody’s', async () => {
  const stand = await LegacyStand.open(MASKING, {
    route: { hedge: { minSamples: 10, minDelay: '1ms', percentile: 0.9 } },
    upstreams: {
      legacy: { endpoints: ['legacy:80', 'legacy:81'], ...BARE_UPSTREAM, retryBudget: { min: '9/s' } },
    },
  })
  for (let warm = 0; warm < 12; warm++) expect((await stand.askFor(json(FULL))).body).toBe(MASKED)
  const before = stand.heads.length
  stand.serve = (transport) => {
    const delayMs = stand.heads.length === before + 1 ? 400 : 100
    stand.world.clock.schedule(delayMs, () => transport.write(json(FULL)))
  }
  expect((await stand.ask()).body).toBe(MASKED)
  expect(stand.heads.length).toBe(before + 2)
})

describe('an answer that its service masks', () => {
  test('is not replaced by one that was kept when more was allowed', async () => {
    const stand = await LegacyStand.open(TOLD, { route: SHARING })
    expect((await stand.askFor(json(FULL), 'bill')).body).toBe(FULL)
    expect((await stand.askFor(json('{}', [], '503 Down'), 'bill')).body).toBe(FULL)
    demote(stand)
    const answer = await stand.askFor(json('{}', [], '503 Down'), 'bill')
    expect([answer.status, answer.body]).toEqual([503, '{}'])
  })

  test('is not replayed for its key when less is allowed now', async () => {
    const stand = await LegacyStand.open(TOLD, { route: SHARING })
    const ask = () => stand.askFor(json(FULL), 'bill', 'POST', ['Idempotency-Key: k', 'Content-Length: 0'])
    expect((await ask()).body).toBe(FULL)
    demote(stand)
    const answer = await ask()
    expect([answer.status, codeIn(answer)]).toEqual([422, 'BW_GATEWAY_IDEMPOTENCY_MISMATCH'])
    expect(stand.heads.length).toBe(1)
  })
})
