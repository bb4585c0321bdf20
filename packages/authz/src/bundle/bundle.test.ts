import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuthzRequest } from '../engine/request.ts'
import { readBundle, writeBundle, type Bundle } from './bundle.ts'
import { BundleHolder, type BundleEvent, type BundleHolderOptions } from './holder.ts'
import { signBundle, verifyBundle } from './signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const HOUR = 3_600_000

const SCHEMA = `
entity Team;
entity User in [Team];
entity Doc;
action view appliesTo { principal: [User], resource: [Doc] };
`
const PERMIT = '@id("team") permit (principal in Team::"red", action, resource);'
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const request: AuthzRequest = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd'),
}
const ANN = [{ uid: uid('User', 'ann'), parents: [uid('Team', 'red')] }]

function bundle(version: number, more: Partial<Bundle> & { readonly text?: string } = {}): Bundle {
  const { text = PERMIT, ...rest } = more
  return {
    name: 'shop',
    version,
    issuedAtMs: HOUR,
    content: { policies: [{ file: 'a.cedar', text }], schema: SCHEMA, entities: JSON.stringify(ANN) },
    ...rest,
  }
}
const signed = (...args: Parameters<typeof bundle>): Uint8Array =>
  signBundle(writeBundle(bundle(...args)), privateKey)

function holder(more: Partial<BundleHolderOptions> = {}): {
  readonly held: BundleHolder
  readonly events: BundleEvent[]
} {
  const events: BundleEvent[] = []
  const onEvent = (event: BundleEvent): void => void events.push(event)
  return { held: new BundleHolder({ name: 'shop', trustedKeys: [publicKey], onEvent, ...more }), events }
}
const reason = (event: BundleEvent): string => (event.kind === 'refused' ? event.error.message : event.kind)

describe('a bundle', () => {
  test('comes back as it was written', () => {
    expect(readBundle(writeBundle(bundle(3)))).toEqual(bundle(3))
  })

  test('is not handed out when any bit of it was changed', () => {
    const bytes = signed(1)
    const original = Buffer.from(verifyBundle(bytes, [publicKey]).bytes)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const copy = Uint8Array.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ (1 << bit)
        try {
          // A change that base64 or the key id does not see yields what was signed, and nothing else.
          return Buffer.from(verifyBundle(copy, [publicKey]).bytes).equals(original)
        } catch {
          return true
        }
      }),
      { numRuns: 300 },
    )
  })

  test('is signed and verified with Ed25519 keys only, each on its side', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(() => signBundle(writeBundle(bundle(1)), rsa.privateKey)).toThrow('is no private Ed25519 key')
    expect(() => signBundle(writeBundle(bundle(1)), publicKey)).toThrow('is no private Ed25519 key')
    expect(() => verifyBundle(signed(1), [rsa.publicKey])).toThrow('is no public Ed25519 key')
  })
})

describe('a bundle holder', () => {
  test('denies with a code until the first bundle', () => {
    expect(holder().held.decide(request, HOUR).failure?.code).toBe('BW_AUTHZ_BUNDLE_MISSING')
  })

  test('puts a newer bundle into force at once', () => {
    const { held } = holder()
    expect(held.offer(signed(1), HOUR).kind).toBe('accepted')
    expect(held.decide(request, HOUR)).toMatchObject({ decision: 'allow', policyVersion: 'shop@1' })
    expect(
      held.offer(signed(2, { text: `${PERMIT}\n@id("no") forbid (principal, action, resource);` }), HOUR)
        .kind,
    ).toBe('accepted')
    expect(held.decide(request, HOUR)).toMatchObject({
      decision: 'deny',
      reasons: ['no'],
      policyVersion: 'shop@2',
    })
  })

  const bad: readonly [string, Uint8Array][] = [
    ['not JSON', new TextEncoder().encode('{')],
    ['not a JSON object', new TextEncoder().encode('7')],
    ['not a signed bundle', writeBundle(bundle(9))],
    ['no trusted key signed it', signBundle(writeBundle(bundle(9)), stranger.privateKey)],
    [
      'no trusted key signed it',
      Buffer.from(
        Buffer.from(signed(9))
          .toString()
          .replace(/"sig":"[^"]*"/, '"sig":""'),
      ),
    ],
    ['version 4 after 5 would go back', signed(4)],
    ['version 5 after 5 with other content', signed(5, { text: `${PERMIT} ` })],
    ['version 5 after 5, signed earlier', signed(5, { issuedAtMs: HOUR - 1 })],
    ['named other, expected shop', signed(9, { name: 'other' })],
    ['ms in the future', signed(9, { issuedAtMs: 3 * HOUR })],
    ['ms old, at most', signed(9, { issuedAtMs: 0 })],
    ['unexpected', signed(9, { text: 'permit (principal, action, resource' })],
    ['Nobody', signed(9, { text: 'permit (principal is Nobody, action, resource);' })],
    ['may leave 64 bits', signed(9, { text: 'forbid (principal, action, resource) when { 1 + 1 > 3 };' })],
    ['there are no policies', signed(9, { content: { policies: [] } })],
    ['strict mode needs a schema', signed(9, { content: { policies: [{ file: 'a', text: PERMIT }] } })],
    ['schema', signed(9, { content: { policies: [{ file: 'a', text: PERMIT }], schema: 'entity' } })],
    ['entities', signed(9, { content: { ...bundle(1).content, entities: '{}' } })],
  ]
  test.each(bad)('refuses one with a reason and keeps the one before: %s', (message, bytes) => {
    const { held, events } = holder({ maxAgeMs: HOUR })
    held.offer(signed(5), HOUR)
    const event = held.offer(bytes, HOUR + 1)
    expect(event.kind).toBe('refused')
    expect(reason(event)).toContain(message)
    expect(events.at(-1)).toBe(event)
    expect(held.decide(request, HOUR + 1)).toMatchObject({ decision: 'allow', policyVersion: 'shop@5' })
  })

  test('denies with a code and alarms once when the bundle is too old, until it is signed anew', () => {
    const { held, events } = holder({ maxAgeMs: HOUR })
    held.offer(signed(1), HOUR)
    expect(held.decide(request, 2 * HOUR).decision).toBe('allow')
    for (const late of [1, 2]) {
      expect(held.decide(request, 2 * HOUR + late)).toMatchObject({
        decision: 'deny',
        failure: { code: 'BW_AUTHZ_BUNDLE_STALE' },
      })
    }
    expect(events.map(({ kind }) => kind)).toEqual(['accepted', 'stale'])
    expect(held.offer(signed(1, { issuedAtMs: 2 * HOUR }), 2 * HOUR).kind).toBe('refreshed')
    expect(held.decide(request, 2 * HOUR + 1).decision).toBe('allow')
  })

  test('keeps revocations from bundle to bundle', () => {
    const { held } = holder()
    held.offer(signed(1), HOUR)
    held.apply({ remove: [uid('User', 'ann')] })
    expect(held.decide(request, HOUR).decision).toBe('deny')
    held.offer(signed(2), HOUR)
    expect(held.decide(request, HOUR)).toMatchObject({ decision: 'deny', policyVersion: 'shop@2' })
    held.apply({ upsert: JSON.stringify(ANN) })
    held.offer(signed(3), HOUR)
    expect(held.decide(request, HOUR).decision).toBe('allow')
  })

  test('forgets a revocation once a bundle has come without what was revoked', () => {
    const { held } = holder()
    const without = signed(3, { content: { ...bundle(3).content, entities: '[]' } })
    held.offer(signed(1), HOUR)
    held.apply({ remove: [uid('User', 'ann'), uid('User', 'nobody')] })
    held.offer(signed(2), HOUR)
    expect(held.live.remove).toEqual([uid('User', 'ann')])
    // One that is refused has changed nothing.
    const refuse = (): void => {
      throw new Error('not this one')
    }
    expect(held.offer(without, HOUR, refuse).kind).toBe('refused')
    expect(held.live.remove).toEqual([uid('User', 'ann')])
    expect(held.offer(without, HOUR).kind).toBe('accepted')
    expect(held.live.remove).toEqual([])
  })

  test('refuses a bundle that the entities at hand do not fit', () => {
    const { held } = holder()
    held.offer(signed(1), HOUR)
    held.apply({ upsert: [{ uid: uid('Team', 'new') }] })
    const schema = SCHEMA.replace('entity Team;', 'entity Team = { size: Long };')
    const next = signed(2, { content: { ...bundle(1).content, schema, entities: '[]' } })
    expect(held.offer(next, HOUR).kind).toBe('refused')
    expect(held.decide(request, HOUR).decision).toBe('allow')
  })

  test('takes bundles of either key while one is being replaced', () => {
    const { held } = holder({ trustedKeys: [stranger.publicKey, publicKey] })
    expect(held.offer(signed(1), HOUR).kind).toBe('accepted')
    expect(held.offer(signBundle(writeBundle(bundle(2)), stranger.privateKey), HOUR).kind).toBe('accepted')
  })

  test('does not go back across a restart when it is told how far it was', () => {
    const { held } = holder({ minVersion: 3 })
    expect(reason(held.offer(signed(2), HOUR))).toContain('version 2, at least 3')
    expect(held.offer(signed(3), HOUR).kind).toBe('accepted')
  })

  test('does not begin without keys', () => {
    expect(() => holder({ trustedKeys: [] })).toThrow('at least one key')
  })
})
