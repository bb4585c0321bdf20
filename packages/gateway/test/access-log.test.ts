import { expect, test } from 'vitest'

import { Origin, Stage, reply } from './support/stage.ts'

test('there is one line for each request, with what became of it and without a secret', async () => {
  const lines: string[] = []
  const stage = await Stage.open({
    services: { shop: { route: { retry: true, timeout: '200ms' } } },
    rest: { telemetry: { accessLog: { headers: ['authorization', 'cookie', 'x-plain'] } } },
    log: (line) => lines.push(line),
  })
  const origin = await Origin.open(stage, 'shop')
  const secrets = ['Authorization: Bearer s3cret', 'Cookie: id=s3cret', 'X-Plain: shown']
  stage.ask('GET /shop/1?token=s3cret', secrets)
  stage.ask('GET /nowhere?token=s3cret', secrets)
  origin.respond = ({ exchange }) => reply(exchange, 503)
  stage.ask('GET /shop/2', secrets, '', 500)
  origin.respond = () => {}
  stage.ask('GET /shop/3', secrets, '', 500)
  const gone = stage.send('GET /shop/4', secrets)
  stage.run(20)
  gone.close()
  stage.run(1_100)
  await stage.gateway.close()
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(
    entries.map(({ path, status, code, fault, attempts }) => [path, status, code, fault, attempts]),
  ).toEqual([
    ['/shop/1', 200, undefined, undefined, 1],
    ['/nowhere', 404, 'BW_GATEWAY_ROUTE_NOT_FOUND', 'caller', 0],
    ['/shop/2', 503, undefined, undefined, 3],
    ['/shop/3', 504, 'BW_GATEWAY_UPSTREAM_TIMEOUT', 'upstream', 1],
    ['/shop/4', 504, 'BW_GATEWAY_UPSTREAM_TIMEOUT', 'upstream', 1],
  ])
  expect(lines.join('\n')).not.toContain('s3cret')
  expect(lines[0]).toContain('shown')
  expect(entries[0]).toMatchObject({ route: 'shop', upstream: 'shop', endpoint: 'shop:80', responseBytes: 2 })
})

test('lines that cannot be written are counted, and cost nobody an answer', async () => {
  const stage = await Stage.open({
    services: { shop: {} },
    log: () => {
      throw new Error('no space left on device')
    },
  })
  await Origin.open(stage, 'shop')
  expect(stage.ask('GET /shop/1').status).toBe(200)
  stage.run(20)
  expect(stage.gateway.registry.expose()).toContain(
    'breakwater_access_log_lines_total{outcome="dropped"} 1\n',
  )
})

test('bytes that are no request have a line too, under the id that their answer names', async () => {
  const lines: string[] = []
  const stage = await Stage.open({ services: { shop: {} }, log: (line) => lines.push(line) })
  await Origin.open(stage, 'shop')
  const answer = stage.ask('GET /shop/1', ['Bad Name: x'])
  expect(answer.status).toBe(400)
  const { traceId } = JSON.parse(answer.body) as { traceId: string }
  await stage.gateway.close()
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { status: 400, code: 'BW_HTTP_FIELD_INVALID', fault: 'caller', traceId, requestId: traceId },
  ])
})
