import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createAuthZenHandler, OpaClient } from '../src/adapters.ts'
import { Authorizer, type AuthzRequest, type Decision } from '../src/index.ts'
import { BundleHolder, DecisionLog, signBundle, writeBundle, type DecisionLogDeps } from '../src/operate.ts'

/*
 * Whatever fails, the answer is deny, with a code (or, where the policies did answer, with what failed in them), and the process
 * lives. Every case would be an allow if its fault were not there.
 */
const SCHEMA = `
entity Team;
entity User in [Team] = { level: Long, blocked?: Bool };
entity Doc = { owner: User };
action view, edit appliesTo { principal: [User], resource: [Doc], context: { mfa: Bool, at?: datetime } };
action group;
`
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const ENTITIES = [
  { uid: uid('User', 'ann'), attrs: { level: 3 } },
  { uid: uid('Doc', 'd1'), attrs: { owner: uid('User', 'ann') } },
]
const PERMIT = '@id("p") permit (principal, action == Action::"view", resource) when { context.mfa };'
const good: AuthzRequest = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd1'),
  context: { mfa: true },
}
type Answer = Pick<Decision, 'decision'> & {
  readonly failure?: { readonly code: string }
  readonly errors?: readonly { readonly policyId: string }[]
}

const authorizer = (policies = PERMIT, more: object = {}): Authorizer =>
  new Authorizer({
    policies: { text: policies, ids: 'annotation' },
    schema: SCHEMA,
    entities: ENTITIES,
    ...more,
  })
const decide = (change: object, policies?: string): Answer =>
  authorizer(policies).decide({ ...good, ...change })

const DATA = 'BW_AUTHZ_DATA_INVALID'
const REQUEST = 'BW_AUTHZ_REQUEST_INVALID'
const ENGINE = 'BW_AUTHZ_ENGINE_FAILED'
const trap: object = Object.defineProperty({}, 'mfa', {
  enumerable: true,
  get() {
    throw new Error('boom')
  },
})

const requests: readonly [string, string, () => Answer][] = [
  ['no principal', DATA, () => decide({ principal: undefined })],
  ['no action', DATA, () => decide({ action: undefined })],
  ['no resource', DATA, () => decide({ resource: undefined })],
  ['a principal that is a text', DATA, () => decide({ principal: 'User::"ann"' })],
  ['a principal whose id is a number', DATA, () => decide({ principal: { type: 'User', id: 7 } })],
  ['a principal of an unknown type', REQUEST, () => decide({ principal: uid('Robot', 'ann') })],
  ['a principal of a wrong type', REQUEST, () => decide({ principal: uid('Doc', 'd1') })],
  ['a resource of a wrong type', REQUEST, () => decide({ resource: uid('User', 'ann') })],
  ['an unknown action', REQUEST, () => decide({ action: uid('Action', 'fly') })],
  ['an action that is only a group', REQUEST, () => decide({ action: uid('Action', 'group'), context: {} })],
  ['an action of another type', REQUEST, () => decide({ action: uid('Verb', 'view') })],
  ['a missing claim', DATA, () => decide({ context: {} })],
  ['no context at all', DATA, () => decide({ context: undefined })],
  ['a claim of a wrong type', DATA, () => decide({ context: { mfa: 'true' } })],
  ['a claim that is 1 and not true', DATA, () => decide({ context: { mfa: 1 } })],
  ['a claim that is null', DATA, () => decide({ context: { mfa: null } })],
  ['a claim nobody declared', DATA, () => decide({ context: { mfa: true, admin: true } })],
  ['a date that is none', DATA, () => decide({ context: { mfa: true, at: '2026-02-30' } })],
  ['a context that is a list', DATA, () => decide({ context: [] })],
  ['a context text that is cut off', DATA, () => decide({ context: '{"mfa":tru' })],
  ['a claim given twice', DATA, () => decide({ context: '{"mfa":false,"mfa":true}' })],
  ['a claim that throws when it is read', ENGINE, () => decide({ context: trap })],
  ['half of a surrogate pair', DATA, () => decide({ resource: uid('Doc', '\ud800') })],
  [
    'entities that contradict each other',
    'BW_AUTHZ_ENTITY_CONFLICT',
    () =>
      decide({
        entities: [
          { uid: uid('User', 'x'), attrs: { level: 1 } },
          { uid: uid('User', 'x'), attrs: { level: 2 } },
        ],
      }),
  ],
  [
    'an entity that does not fit its type',
    DATA,
    () => decide({ entities: [{ uid: uid('User', 'x'), attrs: { level: 'high' } }] }),
  ],
  ['a request that is null', ENGINE, () => authorizer().decide(null as never)],
]

test.each(requests)('%s is a deny with %s, and the next request is answered', (_, code, ask) => {
  const { decision, failure } = ask()
  expect([decision, failure?.code]).toEqual(['deny', code])
  expect(authorizer().decide(good).decision).toBe('allow')
})

const FORBID = '@id("f") forbid (principal, action, resource) when { principal.blocked };'
const policies: readonly [string, readonly string[], () => Answer][] = [
  ['an empty policy set', [], () => decide({}, '')],
  ['a set without a fitting permit', [], () => decide({}, PERMIT.replace('view', 'edit'))],
  [
    'a permit that fails',
    ['p'],
    () =>
      decide(
        {},
        '@id("p") permit (principal, action, resource) when { principal.level + 9223372036854775807 > 0 };',
      ),
  ],
  [
    'an owner who is not there any more',
    ['p'],
    () =>
      decide(
        { resource: uid('Doc', 'gone') },
        '@id("p") permit (principal, action, resource) when { resource.owner == principal };',
      ),
  ],
  [
    'a forbid that fails, where failing forbids deny',
    ['f'],
    () => authorizer(`${PERMIT}${FORBID}`, { forbidErrors: 'deny' }).decide(good),
  ],
]

test.each(policies)('%s is a deny, and says what failed', (_, failed, ask) => {
  const { decision, errors = [], failure } = ask()
  expect([decision, failure, errors.map(({ policyId }) => policyId)]).toEqual(['deny', undefined, failed])
})

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const bundle = signBundle(
  writeBundle({
    name: 'shop',
    version: 1,
    issuedAtMs: 0,
    content: { policies: [{ file: 'a', text: PERMIT }], schema: SCHEMA },
  }),
  privateKey,
)

test('before the first bundle everything is a deny with a code', () => {
  const holder = new BundleHolder({ name: 'shop', trustedKeys: [publicKey] })
  holder.offer(bundle.slice(1), 0)
  expect(holder.decide(good, 0).failure?.code).toBe('BW_AUTHZ_BUNDLE_MISSING')
})

test('on a bundle that is too old everything is a deny with a code', () => {
  const holder = new BundleHolder({ name: 'shop', trustedKeys: [publicKey], maxAgeMs: 1000 })
  holder.offer(bundle, 0)
  expect(holder.decide(good, 1000).decision).toBe('allow')
  expect(holder.decide(good, 1001)).toMatchObject({
    decision: 'deny',
    failure: { code: 'BW_AUTHZ_BUNDLE_STALE' },
  })
})

const engines: readonly [string, typeof globalThis.fetch][] = [
  ['is down', () => Promise.reject(new TypeError('fetch failed'))],
  [
    'answers too late',
    (_, init) =>
      new Promise((__, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      ),
  ],
  ['answers with an error', () => Promise.resolve(new Response('{"result":true}', { status: 503 }))],
  ['answers nonsense', () => Promise.resolve(new Response('allow'))],
  ['knows no such rule', () => Promise.resolve(new Response('{}'))],
]

test.each(engines)('an engine elsewhere that %s is a deny with a code', async (_, fetch) => {
  const client = new OpaClient({ url: 'http://pdp', path: 'allow', timeoutMs: 20 }, { fetch })
  const { decision, failure } = await client.decide(good)
  expect(decision).toBe('deny')
  expect(failure?.code).toMatch(/^BW_AUTHZ_PDP_/)
})

test('an enforcement point that asks while the engine throws hears deny', async () => {
  const handler = createAuthZenHandler({
    policyDecisionPoint: 'https://pdp',
    authenticate: () => true,
    decide: () => Promise.reject(new Error('boom')),
  })
  const body = JSON.stringify({
    subject: uid('User', 'ann'),
    action: { name: 'view' },
    resource: uid('Doc', 'd1'),
  })
  const headers = { 'content-type': 'application/json' }
  const response = await handler(
    new Request('https://pdp/access/v1/evaluation', { method: 'POST', headers, body }),
  )
  expect(await response.json()).toMatchObject({ decision: false })
})

const folder = mkdtempSync(join(tmpdir(), 'breakwater-fail-closed-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('an allow whose record cannot be written is not released', async () => {
  const openSink: DecisionLogDeps['openSink'] = () => ({
    close: () => {},
    write() {
      throw new Error('ENOSPC')
    },
  })
  const log = new DecisionLog({ folder }, { openSink })
  const decision = authorizer().decide(good)
  expect(decision.decision).toBe('allow')
  await expect(log.append({ timeMs: 0, request: good, decision }).written()).rejects.toMatchObject({
    code: 'BW_AUTHZ_LOG_FAILED',
  })
})
