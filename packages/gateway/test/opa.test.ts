import { mkdtempDisposableSync, readFileSync, readdirSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import { resolveText } from '@breakwater/contract'
import { describe, expect, test } from 'vitest'

import { authorizationFailed } from '../src/index.ts'
import { OpaStand } from './support/opa-stand.ts'

/** Causes that were published while `run` ran. */
async function alarmsDuring(run: () => Promise<void>): Promise<readonly string[]> {
  const codes: string[] = []
  const hear = (message: unknown): void => {
    const { cause } = message as { readonly cause: { readonly code?: string } }
    codes.push(cause.code ?? 'something else')
  }
  authorizationFailed.subscribe(hear)
  try {
    await run()
  } finally {
    authorizationFailed.unsubscribe(hear)
  }
  return codes
}

describe('with OPA as its decision point the gateway', () => {
  test('asks it who wants what, and lets through what it allows', async () => {
    await using stand = await OpaStand.open()
    expect(await stand.ask('/orders/o1')).toEqual({ status: 200, code: 'served' })
    expect(stand.served).toEqual(['GET /orders/o1 ann'])
    expect(stand.opa.inputs).toEqual([
      {
        principal: { type: 'User', id: 'ann' },
        action: { type: 'Action', id: 'viewOrder' },
        resource: { type: 'Order', id: 'o1' },
        context: { workload: { __entity: { type: 'Workload', id: 'browser' } }, method: 'GET' },
      },
    ])
  })

  test('refuses what it denies as policies of its own would, and asks nobody about public routes', async () => {
    await using stand = await OpaStand.open()
    stand.opa.says({ allow: false })
    expect(await stand.ask('/orders/o1')).toEqual({ status: 404, code: 'BW_GATEWAY_OBJECT_NOT_FOUND' })
    expect(await stand.ask('/open')).toEqual({ status: 200, code: 'served' })
    expect(stand.opa.inputs).toHaveLength(1)
    expect(stand.served).toEqual(['GET /open undefined'])
  })

  test('keeps the body of a request until it is decided on', async () => {
    await using stand = await OpaStand.open()
    const body = 'x'.repeat(200_000)
    expect((await stand.ask('/orders/o1', { method: 'POST', body })).status).toBe(200)
    stand.opa.says(false)
    expect((await stand.ask('/orders/o1', { method: 'POST', body })).status).toBe(404)
    expect(stand.served).toHaveLength(1)
  })

  const down = { status: 503, code: 'BW_AUTHZ_PDP_UNAVAILABLE' }
  const unclear = { status: 502, code: 'BW_AUTHZ_PDP_ANSWER_INVALID' }
  const ends =
    (text: string, status = 200) =>
    (response: ServerResponse) =>
      void response.writeHead(status).end(text)
  test.each<readonly [string, (response: ServerResponse) => void, object]>([
    ['an error', ends('{"result":true}', 500), down],
    ['a redirect', (response) => response.writeHead(307, { location: '/v1/data/yes' }).end(), down],
    ['a closed connection', (response) => response.destroy(), down],
    ['silence', () => {}, down],
    ['half an answer', (response) => void response.write('{"result":tr'), down],
    ['garbage', ends('{"result":true'), unclear],
    ['nothing defined', ends('{}'), unclear],
    ['the word true', ends('{"result":"true"}'), unclear],
    ['the number 1', ends('{"result":{"allow":1}}'), unclear],
    ['a long answer', ends(`{"result":true,"why":"${'x'.repeat(2000)}"}`), unclear],
  ])('refuses, and sounds the alarm, on %s', async (name, answer, expected) => {
    const opa = {
      timeout: name === 'silence' || name === 'half an answer' ? '150ms' : '10s',
      maxAnswer: '1KiB',
    }
    await using stand = await OpaStand.open({ opa })
    stand.opa.answer = answer
    const alarms = await alarmsDuring(async () => {
      expect(await stand.ask('/orders/o1')).toEqual(expected)
    })
    expect(stand.served).toEqual([])
    expect(alarms).toEqual([(expected as typeof down).code])
    // The engine comes back: so does the shop.
    stand.opa.says(true)
    expect((await stand.ask('/orders/o1')).status).toBe(200)
  })

  test('refuses when nobody answers there, and leaves a dead engine in peace after a while', async () => {
    await using stand = await OpaStand.open({ opa: { breaker: { consecutiveFailures: 3, openFor: '1m' } } })
    stand.opa.answer = (response) => response.destroy()
    for (let count = 0; count < 6; count++) expect(await stand.ask('/orders/o1')).toEqual(down)
    expect(stand.opa.inputs).toHaveLength(3)
    expect((await stand.ask('/open')).status).toBe(200)
    expect(stand.served).toEqual(['GET /open undefined'])
  })

  test('asks no more at the same time than it may', async () => {
    await using stand = await OpaStand.open({ opa: { maxConcurrent: 1 } })
    const waiting: ServerResponse[] = []
    stand.opa.answer = (response) => void waiting.push(response)
    const first = stand.ask('/orders/o1')
    await expect.poll(() => waiting.length).toBe(1)
    expect(await stand.ask('/orders/o2')).toEqual(down)
    waiting[0]?.end('{"result":true}')
    expect((await first).status).toBe(200)
    expect(stand.opa.inputs).toHaveLength(1)
  })

  test('stops asking when the time of the request is over, and blames the engine', async () => {
    await using stand = await OpaStand.open({ opa: { timeout: '30s' }, route: { timeout: '200ms' } })
    stand.opa.answer = () => {}
    const alarms = await alarmsDuring(async () => {
      expect(await stand.ask('/orders/o1')).toEqual({ status: 503, code: 'BW_GATEWAY_AUTHORIZATION_FAILED' })
      await expect.poll(() => stand.opa.abandoned).toBe(1)
    })
    expect(alarms).toEqual(['BW_AUTHZ_PDP_UNAVAILABLE'])
    expect(stand.served).toEqual([])
  })

  test('stops asking when the client is gone, and blames nobody', async () => {
    await using stand = await OpaStand.open({ opa: { timeout: '30s', breaker: { consecutiveFailures: 1 } } })
    stand.opa.answer = () => {}
    const alarms = await alarmsDuring(async () => {
      const leaving = new AbortController()
      const asked = stand.ask('/orders/o1', { signal: leaving.signal })
      await expect.poll(() => stand.opa.inputs.length).toBe(1)
      leaving.abort()
      await expect(asked).rejects.toThrow('abort')
      await expect.poll(() => stand.opa.abandoned).toBe(1)
    })
    expect(alarms).toEqual([])
    stand.opa.says(true)
    expect((await stand.ask('/orders/o1')).status).toBe(200)
    expect(stand.served).toHaveLength(1)
  })

  test('lets nothing through that is allowed after the request is over', async () => {
    await using stand = await OpaStand.open({ opa: { timeout: '30s' }, route: { timeout: '100ms' } })
    const waiting: ServerResponse[] = []
    stand.opa.answer = (response) => void waiting.push(response)
    expect((await stand.ask('/orders/o1')).status).toBe(503)
    waiting[0]?.end('{"result":true}')
    stand.opa.says(true)
    expect((await stand.ask('/orders/o2')).status).toBe(200)
    expect(stand.served).toEqual(['GET /orders/o2 ann'])
  })

  test('decides and lets pass in dark mode, also when the engine is dead', async () => {
    await using stand = await OpaStand.open({ authorization: { mode: 'dark' } })
    for (const answer of [ends('{"result":false}'), ends('', 500)]) {
      stand.opa.answer = answer
      expect((await stand.ask('/orders/o1')).status).toBe(200)
    }
    expect(stand.opa.inputs).toHaveLength(2)
  })

  test('writes every decision down, and lets nothing go on without it', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-opa-'))
    await using stand = await OpaStand.open({ authorization: { decisionLog: join(folder.path, 'log') } })
    await stand.ask('/orders/o1')
    stand.opa.says(false)
    await stand.ask('/orders/o2')
    stand.opa.says('yes')
    await stand.ask('/orders/o3')
    await stand.gateway.close()
    const [file = ''] = readdirSync(join(folder.path, 'log'))
    const records = readFileSync(join(folder.path, 'log', file), 'utf8')
      .split('\n')
      .flatMap((line) => (line.includes('"by"') ? [JSON.parse(line) as Record<string, unknown>] : []))
    expect(records.map(({ result, object, engine, failure }) => [result, object, engine, failure])).toEqual([
      ['allow', 'Order::"o1"', 'opa', undefined],
      ['deny', 'Order::"o2"', 'opa', undefined],
      ['deny', 'Order::"o3"', 'opa', 'BW_AUTHZ_PDP_ANSWER_INVALID'],
    ])
    expect(records[0]).toMatchObject({ who: 'User::"ann"', policyVersion: 'opa:shop/allow' })
  })

  test.each<readonly [string, string | undefined, string]>([
    ['to another one', 'next', 'next'],
    ['to none', undefined, 'log'],
  ])('writes down what it decides after a reload has changed the log %s', async (_, next, expected) => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-opa-'))
    const log = join(folder.path, 'log')
    await using stand = await OpaStand.open({ authorization: { decisionLog: log } })
    const waiting: ServerResponse[] = []
    stand.opa.answer = (response) => void waiting.push(response)
    const asked = stand.ask('/orders/o1')
    await expect.poll(() => waiting.length).toBe(1)
    const { config } = stand.gateway
    const { authorization } = config
    if (authorization.mode === 'off') throw new Error('there is no authorization')
    const reloadTo = (name: string | undefined): Promise<void> => {
      const decisionLogDir = name && join(folder.path, name)
      return stand.gateway.reload({ ...config, authorization: { ...authorization, decisionLogDir } })
    }
    await reloadTo('log')
    await reloadTo(next)
    waiting[0]?.end('{"result":true}')
    expect(await asked).toEqual({ status: 200, code: 'served' })
    // Back to a folder that may be open still: one chain, not two.
    await reloadTo('log')
    stand.opa.says(true)
    expect((await stand.ask('/orders/o2')).status).toBe(200)
    await stand.gateway.close()
    const objects = (name: string): unknown => {
      const files = readLogFolder(join(folder.path, name))
      expect(verifyLog(files).problem).toBeUndefined()
      return files.flatMap(({ bytes }) => bytes.toString().match(/o[12](?=\\")/g) ?? [])
    }
    expect(objects(expected)).toContain('o1')
    expect(objects('log')).toContain('o2')
  })

  test('holds an allowed request back when it cannot be written down', async () => {
    const append = () => ({ written: () => Promise.reject(new Error('disk full')) })
    await using stand = await OpaStand.open({ deps: { decisionRecorder: { append } } })
    expect(await stand.ask('/orders/o1')).toEqual({ status: 503, code: 'BW_GATEWAY_DECISION_UNRECORDED' })
    expect(stand.served).toEqual([])
  })

  test('asks it for enforcement points elsewhere too, and has nobody to search', async () => {
    await using stand = await OpaStand.open({ authorization: { authzen: true } })
    const post = async (path: string): Promise<Response> => {
      const body = JSON.stringify({
        subject: { type: 'User', id: 'bob' },
        action: { name: 'viewOrder' },
        resource: { type: 'Order', id: 'o7' },
        context: { amount: 1e3 },
      })
      const headers = { 'content-type': 'application/json' }
      const request = new Request(`http://127.0.0.1${path}`, { method: 'POST', body, headers })
      const answered = stand.gateway.authZen?.(request, { address: 'http://127.0.0.1', traceId: 't' })
      return (await answered) ?? Response.error()
    }
    expect(await (await post('/access/v1/evaluation')).json()).toEqual({ decision: true })
    expect(stand.opa.inputs).toMatchObject([{ principal: { id: 'bob' }, context: { amount: 1000 } }])
    stand.opa.answer = ends('', 500)
    expect(await (await post('/access/v1/evaluation')).json()).toEqual({
      decision: false,
      context: { error: { status: 503, message: 'BW_AUTHZ_PDP_UNAVAILABLE' } },
    })
    expect((await post('/access/v1/search/resource')).status).toBe(404)
  })

  test('asks it again about every answer that goes on, few at a time, so that requests find room', async () => {
    await using stand = await OpaStand.open({
      opa: { maxConcurrent: 4, timeout: '30s' },
      serve: (response, path) => void (path.includes('long') ? response.write('x') : response.end('served')),
    })
    const ends: Promise<string>[] = []
    for (let at = 0; at < 6; at++) {
      const answer = await stand.begin(`/orders/long-${at}`)
      ends.push(
        answer.text().then(
          () => 'whole',
          () => 'cut',
        ),
      )
    }
    const held: ServerResponse[] = []
    stand.opa.inputs.length = 0
    stand.opa.answer = (response) => void held.push(response)
    await stand.gateway.reload(stand.gateway.config)
    await expect.poll(() => held.length).toBe(1)
    stand.opa.says(true)
    expect((await stand.ask('/orders/o1')).status).toBe(200)
    expect(stand.opa.inputs).toHaveLength(2)
    stand.opa.says(false)
    held[0]?.end('{"result":false}')
    expect(await Promise.all(ends)).toEqual(Array(6).fill('cut'))
  })

  describe('about an answer that goes on', () => {
    const open = async (
      grace: string,
    ): Promise<{ readonly stand: OpaStand; readonly end: Promise<string> }> => {
      const serve = (response: ServerResponse): void => void response.write('x')
      const stand = await OpaStand.open({ opa: { grace, timeout: '30s', breaker: false }, serve })
      const answer = await stand.begin('/orders/long')
      return {
        stand,
        end: answer.text().then(
          () => 'whole',
          () => 'cut',
        ),
      }
    }
    const after = async (ms: number): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 'goes on'
    }

    test.each([
      ['fails', ends('', 500)],
      ['is silent', () => {}],
    ])('ends it when the engine %s for longer than its grace', async (_, answer) => {
      const { stand, end } = await open('1s')
      await using _stand = stand
      stand.opa.answer = answer
      await stand.gateway.reload(stand.gateway.config)
      expect(await Promise.race([end, after(800)])).toBe('goes on')
      expect(await Promise.race([end, after(3000)])).toBe('cut')
    })

    test('lets it go on when the engine is back within its grace', async () => {
      const { stand, end } = await open('2s')
      await using _stand = stand
      stand.opa.answer = ends('', 500)
      const alarms = await alarmsDuring(async () => {
        await stand.gateway.reload(stand.gateway.config)
        await expect.poll(() => stand.opa.inputs.length).toBe(2)
        stand.opa.says(true)
        expect(await Promise.race([end, after(3500)])).toBe('goes on')
      })
      expect(alarms).toEqual(['BW_AUTHZ_PDP_UNAVAILABLE'])
      stand.opa.says(false)
      await stand.gateway.reload(stand.gateway.config)
      expect(await end).toBe('cut')
    })
  })

  test('keeps what the breaker has learnt over a reload that does not concern it', async () => {
    await using stand = await OpaStand.open({ opa: { breaker: { consecutiveFailures: 1, openFor: '1m' } } })
    stand.opa.answer = (response) => response.destroy()
    await stand.ask('/orders/o1')
    await stand.gateway.reload(stand.gateway.config)
    expect(await stand.ask('/orders/o1')).toEqual(down)
    expect(stand.opa.inputs).toHaveLength(1)
  })
})

describe('in the configuration', () => {
  const problems = (authorization: string): unknown => {
    const read = resolveText(
      `listeners: { main: { port: 0 } }\nupstreams: {}\nroutes: {}\nauthorization: ${authorization}\n`,
    )
    return read.ok ? [] : read.error.map(({ code, path }) => [code, path])
  }
  const opa = 'opa: { url: "http://127.0.0.1:8181", path: shop/allow }'

  test('OPA stands alone: no policies, no bundle beside it', () => {
    expect(problems(`{ ${opa} }`)).toEqual([])
    expect(problems(`{ ${opa}, policies: p }`)).toEqual([
      ['BW_CONFIG_VALUES_CONTRADICTORY', 'authorization.opa'],
    ])
    expect(problems(`{ ${opa}, bundle: b, trustedKeys: [${'x'.repeat(43)}] }`)).toEqual([
      ['BW_CONFIG_VALUES_CONTRADICTORY', 'authorization.opa'],
    ])
  })

  test.each(['ftp://a', 'http://u:p@a', 'http://a/?x', 'a:8181'])('%s is no address of it', (url) => {
    expect(problems(`{ opa: { url: "${url}", path: a } }`)).toEqual([
      [expect.any(String), 'authorization.opa.url'],
    ])
  })
})
