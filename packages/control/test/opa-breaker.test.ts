import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { GuardedStand } from './authorization-stand.ts'
import { ask, order } from './stand.ts'

/** An OPA that allows everything. */
async function openOpa(): Promise<{ readonly url: string; readonly asked: () => number } & AsyncDisposable> {
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    request.resume().on('end', () => response.end('{"result":true}'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('the breaker before OPA is shown and steered as that of an upstream is', async () => {
  await using opa = await openOpa()
  await using guarded = await GuardedStand.open(`  opa: { url: '${opa.url}', path: docs/allow }`)
  const authorization = async (): Promise<unknown> =>
    (JSON.parse((await ask(`${guarded.url}/status`)).text) as { authorization: unknown }).authorization
  expect((await guarded.view('1', 'ann')).status).toBe(200)
  expect(await authorization()).toMatchObject({
    enforced: true,
    policyVersion: 'opa:docs/allow',
    opa: { breaker: { kind: 'closed', calls: 1, failures: 0 } },
  })
  const forced = await order(`${guarded.url}/authorization/breaker`, { action: 'forceOpen', by: 'ada' })
  expect(JSON.parse(forced.text)).toMatchObject({ opa: { breaker: { kind: 'forced-open', by: 'ada' } } })
  expect((await guarded.view('1', 'ann')).status).toBe(503)
  expect(opa.asked()).toBe(1)
  const { text } = await ask(`${guarded.url}/metrics`)
  expect(text).toContain('breakwater_breaker_state{upstream="authorization.opa",state="forced-open"} 1')
  await order(`${guarded.url}/authorization/breaker`, { action: 'reset', by: 'ada' })
  expect((await guarded.view('1', 'ann')).status).toBe(200)
})

test.each([`  policies: '%'`, `  opa: { url: 'http://127.0.0.1:1', path: a, breaker: false }`])(
  'where there is none, nobody can steer it: %s',
  async (section) => {
    await using guarded = await GuardedStand.open(section)
    const { status, text } = await order(`${guarded.url}/authorization/breaker`, {
      action: 'trip',
      by: 'ada',
    })
    expect([status, text]).toEqual([expect.any(Number), expect.stringContaining('BW_CONTROL_SWITCHED_OFF')])
    expect((await ask(`${guarded.url}/authorization/breaker`)).status).toBe(405)
  },
)
