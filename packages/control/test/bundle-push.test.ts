import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { GuardedStand, POLICIES, SCHEMA, newKey, signedBundle } from './authorization-stand.ts'
import type { Release } from './authorization-stand.ts'
import { ask } from './stand.ts'
import type { Answer } from './stand.ts'

const CLOSED = `${POLICIES}\n@id("closed") forbid (principal, action, resource);`
const { privateKey, trusted } = newKey()
const section = `  bundle: '%/docs.bundle'\n  trustedKeys: [${trusted}]\n  staleAfter: 1h`
const bundle = (release: Release): string => signedBundle(privateKey, release)

function opened(text: string = bundle({ version: 1 })): Promise<GuardedStand> {
  return GuardedStand.open(section, (folder) => writeFileSync(join(folder, 'docs.bundle'), text))
}
const push = (guarded: GuardedStand, body: string): Promise<Answer> =>
  ask(`${guarded.url}/authorization/bundle`, { method: 'PUT', body })
const inPlace = ({ folder }: GuardedStand): string => readFileSync(join(folder, 'docs.bundle'), 'utf8')

describe('a bundle that is pushed', () => {
  test('is in force for the next request, and in its place for the next process', async () => {
    await using guarded = await opened()
    expect((await guarded.view('1', 'ann')).status).toBe(200)
    const next = bundle({ version: 2, policies: CLOSED })
    const { status, text } = await push(guarded, next)
    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        kind: 'accepted',
        name: 'breakwater',
        version: 2,
        issuedAtMs: expect.any(Number),
        isVersionKept: true,
      },
    ])
    expect((await guarded.view('1', 'ann')).status).toBe(403)
    expect(inPlace(guarded)).toBe(next)
    expect(JSON.parse((await ask(`${guarded.url}/authorization/bundle`)).text)).toMatchObject({ version: 2 })
    // What a reload reads is what was pushed.
    await guarded.stand.gateway.reload(guarded.stand.gateway.config)
    expect(guarded.stand.gateway.bundle?.version).toBe(2)
  })

  test('again, signed anew, gets a new age', async () => {
    await using guarded = await opened(bundle({ version: 1, issuedAtMs: Date.now() - 60_000 }))
    const again = bundle({ version: 1 })
    expect((await push(guarded, again)).text).toContain('"refreshed"')
    expect(inPlace(guarded)).toBe(again)
  })

  const stranger = newKey().privateKey
  test.each<readonly [string, () => string, RegExp]>([
    ['is no bundle', () => '{}', /not a signed bundle/],
    ['is empty', () => '', /not JSON/],
    ['is signed by a stranger', () => signedBundle(stranger, { version: 3 }), /no trusted key/],
    ['was changed', () => bundle({ version: 3 }).replace(/"payload":"./, '"payload":"f'), /no trusted key/],
    ['goes back', () => bundle({ version: 1 }), /would go back/],
    [
      'says something else as the same version',
      () => bundle({ version: 2, policies: CLOSED }),
      /other content/,
    ],
    ['is too old', () => bundle({ version: 3, issuedAtMs: Date.now() - 3_700_000 }), /ms old/],
    [
      'comes from the future',
      () => bundle({ version: 3, issuedAtMs: Date.now() + 600_000 }),
      /in the future/,
    ],
    ['does not pass validation', () => bundle({ version: 3, policies: 'permit (principal' }), /\w/],
    [
      'does not know what a route asks for',
      () => {
        const schema = SCHEMA.replace('action view, edit', 'action look, edit')
        return bundle({ version: 3, schema, policies: 'permit (principal, action, resource);' })
      },
      /the route docs asks for the action view/,
    ],
  ])('is refused when it %s, and the one before stays', async (_, make, said) => {
    await using guarded = await opened()
    const before = bundle({ version: 2 })
    expect((await push(guarded, before)).status).toBe(200)
    const { status, headers, text } = await push(guarded, make())
    expect([status, headers['content-type']]).toEqual([422, 'application/problem+json'])
    const problem = JSON.parse(text) as Readonly<Record<string, unknown>>
    expect(problem).toMatchObject({ code: 'BW_CONTROL_BUNDLE_REFUSED', title: expect.stringMatching(said) })
    expect(guarded.stand.gateway.bundle?.version).toBe(2)
    expect((await guarded.view('1', 'ann')).status).toBe(200)
    expect(inPlace(guarded)).toBe(before)
  })

  test('that cannot be written is not in force either', async () => {
    await using guarded = await opened()
    const path = join(guarded.folder, 'docs.bundle')
    rmSync(path)
    mkdirSync(path) // nothing can be renamed to the name of a folder
    const { status, text } = await push(guarded, bundle({ version: 2, policies: CLOSED }))
    expect([status, text]).toEqual([503, expect.stringContaining('BW_AUTHZ_BUNDLE_UNSTORED')])
    expect(guarded.stand.gateway.bundle?.version).toBe(1)
    expect((await guarded.view('1', 'ann')).status).toBe(200)
    expect(readdirSync(guarded.folder).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  test('is refused when it is larger than any bundle', async () => {
    await using guarded = await opened()
    const { status } = await push(guarded, 'x'.repeat(8 * 1024 * 1024 + 1))
    expect(status).toBe(413)
    expect(guarded.stand.gateway.bundle?.version).toBe(1)
  })

  test('waits for a reload under way', async () => {
    await using guarded = await opened()
    const { gateway } = guarded.stand
    const { authorization } = gateway.config
    if (authorization.mode === 'off') throw new Error('it is on')
    // Other settings: the reload begins anew from the file, which must not be replaced behind its back.
    const reloaded = gateway.reload({
      ...gateway.config,
      authorization: { ...authorization, staleAfterMs: 7_200_000 },
    })
    const answer = await push(guarded, bundle({ version: 2, policies: CLOSED }))
    await reloaded
    expect(answer.status).toBe(200)
    expect(gateway.bundle?.version).toBe(2)
    expect((await guarded.view('1', 'ann')).status).toBe(403)
  })
})

test('an older bundle in the place of the newer one is refused by the next process', async () => {
  const files = await (async () => {
    await using guarded = await opened()
    await push(guarded, bundle({ version: 5 }))
    return new Map(
      readdirSync(guarded.folder).map((name) => [name, readFileSync(join(guarded.folder, name), 'utf8')]),
    )
  })()
  const started = GuardedStand.open(section, (fresh) => {
    for (const [name, text] of files) writeFileSync(join(fresh, name), text)
    writeFileSync(join(fresh, 'docs.bundle'), bundle({ version: 4 }))
  })
  await expect(started).rejects.toMatchObject({ code: 'BW_GATEWAY_POLICIES_INVALID' })
  await expect(started).rejects.toThrow('version 4, at least 5')
  await using guarded = await GuardedStand.open(section, (fresh) => {
    for (const [name, text] of files) writeFileSync(join(fresh, name), text)
  })
  expect(guarded.stand.gateway.bundle?.version).toBe(5)
})

test('with a folder of policies there is nothing to push to', async () => {
  await using guarded = await GuardedStand.open("  policies: '%'")
  for (const method of ['GET', 'PUT']) {
    const { status, text } = await ask(`${guarded.url}/authorization/bundle`, { method })
    expect([status, text]).toEqual([409, expect.stringContaining('BW_CONTROL_SWITCHED_OFF')])
  }
  expect((await ask(`${guarded.url}/authorization/bundle`, { method: 'POST' })).status).toBe(405)
})
