import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { OpaClient, type OpaDeps, type OpaOptions, type PdpBreaker } from './opa-client.ts'

// A stub on the loopback interface: what fetch makes of redirects and cut bodies is part of what is tested.
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function stub(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status).end(body)
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const request = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd'),
  context: { mfa: true },
}

/** A breaker that lets everything through and writes down what it is told. */
function telling(): { readonly breaker: PdpBreaker; readonly told: string[] } {
  const told: string[] = []
  const permit = {
    succeeded: () => void told.push('succeeded'),
    failed: () => void told.push('failed'),
    ignored: () => void told.push('ignored'),
  }
  return { breaker: { admit: () => permit }, told }
}

async function ask(listener: RequestListener, options: Partial<OpaOptions> = {}, deps: OpaDeps = {}) {
  const url = await stub(listener)
  const { decision, failure } = await new OpaClient({ url, path: 'shop/allow', ...options }, deps).decide(
    request,
  )
  return [decision, failure?.code, failure?.message] as const
}

describe('the OPA adapter', () => {
  test('asks the data API with the request as input', async () => {
    const seen: unknown[] = []
    const url = await stub((incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        seen.push(
          incoming.method,
          incoming.url,
          incoming.headers.authorization,
          JSON.parse(Buffer.concat(chunks).toString()),
        )
        response.end('{"result":true}')
      })
    })
    const client = new OpaClient({
      url: `${url}/`,
      path: 'shop/allow',
      headers: { authorization: 'Bearer x' },
    })
    expect(await client.decide(request)).toMatchObject({
      decision: 'allow',
      engine: 'opa',
      policyVersion: 'opa:shop/allow',
    })
    expect(seen).toEqual(['POST', '/v1/data/shop/allow', 'Bearer x', { input: request }])
  })

  test('takes a document with allow as well as a boolean', async () => {
    expect(await ask(answering('{"result":{"allow":true,"why":"owner"}}'))).toEqual([
      'allow',
      undefined,
      undefined,
    ])
    expect(await ask(answering('{"result":{"allow":false}}'))).toEqual(['deny', undefined, undefined])
    expect(await ask(answering('{"result":false}'))).toEqual(['deny', undefined, undefined])
  })

  const unclear: readonly [string, RequestListener, string, string][] = [
    ['an error', answering('{"result":true}', 500), 'BW_AUTHZ_PDP_UNAVAILABLE', 'answered 500'],
    [
      'a success that is no 200',
      answering('{"result":true}', 201),
      'BW_AUTHZ_PDP_UNAVAILABLE',
      'answered 201',
    ],
    ['no JSON', answering('{"result":tru'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'not JSON'],
    ['nothing', answering(''), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'not JSON'],
    ['null', answering('null'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'undefined for this request'],
    ['an undefined result', answering('{}'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'undefined for this request'],
    [
      'the text true',
      answering('{"result":"true"}'),
      'BW_AUTHZ_PDP_ANSWER_INVALID',
      'neither true nor false',
    ],
    ['the number 1', answering('{"result":1}'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'neither true nor false'],
    ['a null result', answering('{"result":null}'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'neither true nor false'],
    [
      'a document whose allow is no boolean',
      answering('{"result":{"allow":[]}}'),
      'BW_AUTHZ_PDP_ANSWER_INVALID',
      'neither',
    ],
    ['a list', answering('{"result":[true]}'), 'BW_AUTHZ_PDP_ANSWER_INVALID', 'neither true nor false'],
    [
      'a long answer',
      answering(`{"result":true,"more":"${'x'.repeat(70_000)}"}`),
      'BW_AUTHZ_PDP_ANSWER_INVALID',
      'more than',
    ],
    [
      'a body cut short',
      (_, response) => {
        response.writeHead(200, { 'content-length': '15' }).write('{"res')
        setTimeout(() => response.destroy(), 5)
      },
      'BW_AUTHZ_PDP_UNAVAILABLE',
      'no answer',
    ],
    ['a closed connection', (incoming) => incoming.socket.destroy(), 'BW_AUTHZ_PDP_UNAVAILABLE', 'no answer'],
    ['silence', () => {}, 'BW_AUTHZ_PDP_UNAVAILABLE', 'no answer'],
    [
      'silence in the middle of the body',
      (_, response) => void response.writeHead(200).write('{"result":'),
      'BW_AUTHZ_PDP_UNAVAILABLE',
      'no answer',
    ],
  ]
  test.each(unclear)('denies with a code on %s', async (name, listener, code, message) => {
    // Only silence is to run into the time-out, however busy the machine is.
    const timeoutMs = name.startsWith('silence') ? 100 : 20_000
    const [decision, gotCode, gotMessage] = await ask(listener, { timeoutMs })
    expect([decision, gotCode]).toEqual(['deny', code])
    expect(gotMessage).toContain(message)
  })

  test('does not follow a redirect, even to an allow', async () => {
    const elsewhere = await stub(answering('{"result":true}'))
    const redirecting: RequestListener = (_, response) =>
      response.writeHead(307, { location: elsewhere }).end()
    expect((await ask(redirecting)).slice(0, 2)).toEqual(['deny', 'BW_AUTHZ_PDP_UNAVAILABLE'])
  })

  test('denies when nobody listens, and when fetch throws nonsense', async () => {
    const nowhere = new OpaClient({ url: 'http://127.0.0.1:1', path: 'a' })
    expect((await nowhere.decide(request)).failure?.code).toBe('BW_AUTHZ_PDP_UNAVAILABLE')
    const fetch = (): never => {
      throw undefined
    }
    const broken = new OpaClient({ url: 'http://127.0.0.1:1', path: 'a' }, { fetch })
    expect((await broken.decide(request)).decision).toBe('deny')
  })

  test('denies a context that cannot be sent, and asks nobody', async () => {
    const { breaker, told } = telling()
    const client = new OpaClient({ url: await stub(answering('{"result":true}')), path: 'a' }, { breaker })
    expect(await client.decide({ ...request, context: '{' })).toMatchObject({
      decision: 'deny',
      failure: { code: 'BW_AUTHZ_DATA_INVALID' },
    })
    expect(told).toEqual([])
  })

  test('sends whole numbers as they are', async () => {
    let sent = ''
    const url = await stub((incoming, response) => {
      incoming.on('data', (chunk: Buffer) => (sent += chunk.toString()))
      incoming.on('end', () => response.end('{"result":true}'))
    })
    await new OpaClient({ url, path: 'a' }).decide({ ...request, context: { n: 9_223_372_036_854_775_807n } })
    expect(sent).toContain('"context":{"n":9223372036854775807}')
  })

  test.each([[[{ uid: uid('User', 'ann') }]], [JSON.stringify([{ uid: uid('User', 'ann') }])]])(
    'sends what the request says about entities: %j',
    async (entities) => {
      let sent = ''
      const url = await stub((incoming, response) => {
        incoming.on('data', (chunk: Buffer) => (sent += chunk.toString()))
        incoming.on('end', () => response.end('{"result":true}'))
      })
      await new OpaClient({ url, path: 'a' }).decide({ ...request, entities })
      expect(JSON.parse(sent)).toMatchObject({ input: { entities: [{ uid: uid('User', 'ann') }] } })
    },
  )

  test('leaves the engine in peace while the breaker is open, and tells it every outcome', async () => {
    const { breaker, told } = telling()
    await ask(answering('{"result":false}'), {}, { breaker })
    await ask(answering('{}'), {}, { breaker })
    await ask(answering('', 500), {}, { breaker })
    expect(told).toEqual(['succeeded', 'succeeded', 'failed'])
    const open: PdpBreaker = { admit: () => undefined }
    expect((await ask(answering('{"result":true}'), {}, { breaker: open }))[2]).toContain(
      'the breaker is open',
    )
  })

  test('gives up when the caller does, and says nothing about the engine', async () => {
    const { breaker, told } = telling()
    const client = new OpaClient({ url: await stub(() => {}), path: 'a' }, { breaker })
    const decision = await client.decide(request, AbortSignal.abort(new Error('gone')))
    expect(decision.decision).toBe('deny')
    expect(told).toEqual(['ignored'])
  })

  test('refuses options that cannot work', () => {
    const open = (options: Partial<OpaOptions>) => () =>
      new OpaClient({ url: 'http://a', path: 'a', ...options })
    expect(open({ url: 'ftp://a' })).toThrow('must be an http address')
    expect(open({ path: 'a?b' })).toThrow('names joined by /')
    expect(open({ timeoutMs: 0 })).toThrow('at least 1')
  })
})
