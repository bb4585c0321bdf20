import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { openControl } from '../src/index.ts'
import { Stand, ask, configOf, openEcho, order, statusBecomes } from './stand.ts'

const NOBODY = '127.0.0.1:1'

const yaml = (endpoints: string, more = ''): string => `
listeners: { main: { port: 0 } }
upstreams:
  echo:
    endpoints: [${endpoints}]
    ${more}
routes: { all: { match: /*, upstream: echo, retry: false } }
`

describe('health', () => {
  test('tells starting, living and being ready apart', async () => {
    await using stand = await Stand.open(
      yaml(NOBODY, 'healthCheck: { path: /, interval: 50ms, timeout: 50ms, unhealthyThreshold: 1 }'),
    )
    expect(await statusBecomes(`${stand.url}/healthz/ready`, 503)).toBe(503)
    expect((await ask(`${stand.url}/healthz/startup`)).status).toBe(200)
    expect((await ask(`${stand.url}/healthz/live`)).status).toBe(200)
  })

  test('a dead dependency that is optional does not make it unready', async () => {
    await using stand = await Stand.open(
      yaml(
        NOBODY,
        'optional: true\n    healthCheck: { path: /, interval: 50ms, timeout: 50ms, unhealthyThreshold: 1 }',
      ),
    )
    for (let tries = 0; tries < 100 && stand.gateway.status().upstreams[0]?.healthy === true; tries++)
      await sleep(50)
    expect(stand.gateway.status().upstreams[0]?.healthy).toBe(false)
    expect((await ask(`${stand.url}/healthz/ready`)).status).toBe(200)
  })

  test('draining makes it unready at once, and the admin API goes on answering', async () => {
    await using stand = await Stand.open(`drain: { readinessDelay: 300ms }\n${yaml(NOBODY)}`)
    const drained = await order(`${stand.url}/drain`, {})
    expect(drained.status).toBe(202)
    expect((await ask(`${stand.url}/healthz/ready`)).status).toBe(503)
    expect((await ask(`${stand.url}/healthz/live`)).status).toBe(200)
    expect(JSON.parse((await ask(`${stand.url}/status`)).text)).toMatchObject({
      ready: false,
      draining: true,
    })
  })

  test('nothing of it answers on the data port', async () => {
    await using stand = await Stand.open(
      `listeners: { main: { port: 0 } }\nupstreams: { echo: { endpoints: ['${NOBODY}'] } }\nroutes: { one: { match: /one, upstream: echo } }`,
    )
    for (const path of ['/status', '/metrics', '/healthz/live', '/config', '/drain']) {
      const { status, text } = await ask(stand.dataUrl + path)
      expect([path, status, text]).toEqual([path, 404, expect.stringContaining('BW_GATEWAY_ROUTE_NOT_FOUND')])
    }
  })
})

describe('orders', () => {
  test('a breaker that an operator forced open refuses until it is reset, and says who it was', async () => {
    await using echo = await openEcho('echo')
    await using stand = await Stand.open(yaml(`127.0.0.1:${echo.port}`))
    const breaker = `${stand.url}/upstreams/echo/breaker`
    expect((await ask(stand.dataUrl)).status).toBe(200)
    const forced = await order(breaker, { action: 'forceOpen', by: 'ada' })
    expect(JSON.parse(forced.text)).toMatchObject({ breaker: { kind: 'forced-open', by: 'ada' } })
    const refused = await ask(stand.dataUrl)
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('BW_GATEWAY_CIRCUIT_OPEN')])
    expect((await order(breaker, { action: 'reset', by: 'ada' })).status).toBe(200)
    expect((await ask(stand.dataUrl)).status).toBe(200)
  })

  test('a tripped breaker opens as if the upstream had failed', async () => {
    await using stand = await Stand.open(yaml(NOBODY))
    const { text } = await order(`${stand.url}/upstreams/echo/breaker`, { action: 'trip', by: 'ada' })
    expect(JSON.parse(text)).toMatchObject({ breaker: { kind: 'open', cause: 'operator' } })
  })

  test('an ejected endpoint gets no more requests until it is brought back; the last one stays', async () => {
    await using one = await openEcho('one')
    await using two = await openEcho('two')
    const [first, second] = [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`]
    await using stand = await Stand.open(
      yaml(`${first}, ${second}`, 'balancer: { policy: round-robin }\n    slowStart: false'),
    )
    const endpoints = `${stand.url}/upstreams/echo/endpoints`
    expect((await order(`${endpoints}/${first}/eject`, {})).status).toBe(200)
    for (let count = 0; count < 6; count++) expect((await ask(stand.dataUrl)).text).toBe('two')
    const last = await order(`${endpoints}/${second}/eject`, {})
    expect([last.status, last.text]).toEqual([409, expect.stringContaining('BW_CONTROL_EJECTION_REFUSED')])
    expect((await order(`${endpoints}/${first}/uneject`, {})).status).toBe(200)
    const answers = new Set([(await ask(stand.dataUrl)).text, (await ask(stand.dataUrl)).text])
    expect(answers).toEqual(new Set(['one', 'two']))
  })

  test.each([
    ['/upstreams/none/breaker', { action: 'trip', by: 'ada' }, 404, 'BW_CONTROL_TARGET_MISSING'],
    ['/upstreams/echo/breaker', { action: 'open', by: 'ada' }, 422, 'action must be one of'],
    ['/upstreams/echo/breaker', { action: 'trip' }, 422, 'by must name who asks'],
    ['/upstreams/echo/breaker', { action: 'trip', by: 'ada', force: true }, 422, '\\"force\\" is unknown'],
    ['/upstreams/echo/endpoints/127.0.0.1:2/eject', {}, 404, 'BW_CONTROL_TARGET_MISSING'],
    ['/reload', {}, 409, 'was not started from a file'],
    ['/nothing', {}, 404, 'BW_CONTROL_ROUTE_NOT_FOUND'],
    ['/status', {}, 405, 'BW_CONTROL_METHOD_NOT_ALLOWED'],
  ])('%s with %j is refused', async (path, body, status, said) => {
    await using stand = await Stand.open(yaml(NOBODY))
    const answer = await order(stand.url + path, body)
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(said)])
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.text)).toMatchObject({
      status,
      fault: 'caller',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  test('a body that is too large, no JSON, or of another type is refused', async () => {
    await using stand = await Stand.open(yaml(NOBODY))
    const url = `${stand.url}/upstreams/echo/breaker`
    expect((await order(url, { by: 'x'.repeat(20_000) })).status).toBe(413)
    const headers = { 'content-type': 'application/json' }
    expect((await ask(url, { method: 'POST', headers, body: '{' })).status).toBe(422)
    expect((await ask(url, { method: 'POST', body: '{"action":"trip","by":"ada"}' })).status).toBe(422)
  })
})

describe('who may ask', () => {
  test('a name that was made to point here is refused, and so is a page of another origin', async () => {
    await using stand = await Stand.open(yaml(NOBODY))
    const url = `${stand.url}/status`
    const { port } = stand.control
    expect((await ask(url, { headers: { host: `evil.example:${port}` } })).status).toBe(421)
    expect((await ask(url, { headers: { host: `127.0.0.1.evil.example:${port}` } })).status).toBe(421)
    expect((await ask(url, { headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await ask(url, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect(
      (await ask(url, { headers: { host: `localhost:${port}`, origin: `http://localhost:${port}` } })).status,
    ).toBe(200)
  })

  test('with a token in the configuration, everything but the probes asks for it', async () => {
    const admin = configOf(`admin: { port: 0, token: { env: ADMIN_TOKEN } }\n${yaml(NOBODY)}`).admin
    if (admin.mode === 'off') throw new Error('the admin API is on')
    await using stand = await Stand.open(yaml(NOBODY), () => ({ admin }), {
      environment: { ADMIN_TOKEN: 's3cret' },
    })
    const statusWith = async (authorization?: string): Promise<number> =>
      (await ask(`${stand.url}/status`, { headers: authorization === undefined ? {} : { authorization } }))
        .status
    expect(await statusWith()).toBe(401)
    expect(await statusWith('Bearer wrong')).toBe(401)
    expect(await statusWith('Basic s3cret')).toBe(401)
    expect(await statusWith('Bearer s3cret')).toBe(200)
    expect((await order(`${stand.url}/drain`, {})).status).toBe(401)
    expect((await ask(`${stand.url}/healthz/ready`)).status).toBe(200)
    expect((await ask(stand.url)).headers['www-authenticate']).toBe('Bearer')
  })

  test('a token that cannot be read, or an address that others reach, keeps it from opening', async () => {
    await using stand = await Stand.open(yaml(NOBODY))
    const { admin } = configOf(`admin: { port: 0, token: { env: NOT_SET } }\n${yaml(NOBODY)}`)
    if (admin.mode === 'off') throw new Error('the admin API is on')
    const { gateway } = stand
    await expect(openControl({ gateway, admin }, { environment: {} })).rejects.toMatchObject({
      code: 'BW_CONFIG_SECRET_MISSING',
    })
    const open = { ...admin, token: undefined }
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com']) {
      await expect(openControl({ gateway, admin: { ...open, host } })).rejects.toMatchObject({
        code: 'BW_CONTROL_ADDRESS_REFUSED',
      })
    }
    const taken = { ...open, port: stand.control.port }
    await expect(openControl({ gateway, admin: taken })).rejects.toMatchObject({
      code: 'BW_CONTROL_START_FAILED',
    })
  })
})

describe('what it shows', () => {
  test('metrics hold the live state of the controls, and forget what left the configuration', async () => {
    await using stand = await Stand.open(yaml(NOBODY))
    await order(`${stand.url}/upstreams/echo/breaker`, { action: 'forceOpen', by: 'ada' })
    const before = await ask(`${stand.url}/metrics`)
    expect(before.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(before.text).toContain('breakwater_breaker_state{upstream="echo",state="forced-open"} 1')
    expect(before.text).toContain('breakwater_breaker_state{upstream="echo",state="closed"} 0')
    expect(before.text).toContain(
      'breakwater_pool_connections{upstream="echo",endpoint="127.0.0.1:1",state="idle"} 0',
    )
    expect(before.text).toContain(
      'breakwater_resilience_breaker_transitions_total{key="echo",from="closed",to="forced-open"} 1',
    )
    expect(before.text).toMatch(/^breakwater_process_memory_bytes\{kind="resident"\} \d+$/m)
    await stand.gateway.reload(configOf(yaml(NOBODY).replaceAll('echo', 'other')))
    const after = await ask(`${stand.url}/metrics`)
    expect(after.text).toContain('breakwater_breaker_state{upstream="other",state="closed"} 1')
    expect(after.text).not.toMatch(/breakwater_breaker_state\{upstream="echo"/)
  })

  test('the configuration is shown without what may be a secret', async () => {
    const services = 'services: { job: { command: [node], env: { PASSWORD: hunter2, KEY: { env: KEY } } } }'
    await using stand = await Stand.open(`${services}\n${yaml(NOBODY)}`)
    const { text } = await ask(`${stand.url}/config`)
    expect(text).not.toContain('hunter2')
    expect(JSON.parse(text)).toMatchObject({
      services: [{ name: 'job', env: { PASSWORD: '***', KEY: { kind: 'env', name: 'KEY' } } }],
    })
  })
})
