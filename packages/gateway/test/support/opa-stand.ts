import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveObject } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { Gateway, TestIssuer } from '@breakwater/gateway'
import type { GatewayDeps } from '@breakwater/gateway'
import { openNetDriver } from '@breakwater/http'

const { issuer } = TestIssuer.create()

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** An engine that speaks OPA's data API: `POST /v1/data/<path>` with `{"input": …}`, answered by `{"result": …}`. */
export class FakeOpa {
  /** What it was asked, in order. */
  readonly inputs: unknown[] = []
  /** Requests whose client left before they were answered. */
  abandoned = 0
  /** What happens to the next questions. */
  answer: (response: ServerResponse, input: unknown, request: IncomingMessage) => void = (response) =>
    response.end('{"result":true}')
  readonly server: Server

  constructor() {
    this.server = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      request.on('end', () => {
        const { input } = JSON.parse(text) as { readonly input: unknown }
        this.inputs.push(input)
        this.answer(response, input, request)
      })
      response.on('close', () => {
        if (!response.writableFinished) this.abandoned += 1
      })
    })
  }

  /** Always this result, or none where it is undefined. */
  says(result: unknown): void {
    this.answer = (response) => response.end(JSON.stringify({ result }))
  }
}

export interface OpaStandOptions {
  readonly opa?: Partial<NonNullable<Exclude<ConfigInput['authorization'], false | undefined>['opa']>>
  readonly authorization?: object
  readonly route?: object
  readonly deps?: Partial<GatewayDeps>
  /** What the service does. Default: it answers `served`. */
  readonly serve?: (response: ServerResponse, path: string) => void
}

/** A gateway whose decisions are made by another process, over real sockets. */
export class OpaStand implements AsyncDisposable {
  readonly opa: FakeOpa
  readonly gateway: Gateway
  /** Requests that came through to the service. */
  readonly served: string[]
  readonly #stack: AsyncDisposableStack

  private constructor(opa: FakeOpa, gateway: Gateway, served: string[], stack: AsyncDisposableStack) {
    this.opa = opa
    this.gateway = gateway
    this.served = served
    this.#stack = stack
  }

  static async open(options: OpaStandOptions = {}): Promise<OpaStand> {
    await using stack = new AsyncDisposableStack()
    const own = async (server: Server): Promise<number> => {
      stack.defer(() => {
        server.closeAllConnections()
        server.close()
      })
      return listen(server)
    }
    const opa = new FakeOpa()
    const url = `http://127.0.0.1:${await own(opa.server)}`
    const served: string[] = []
    const service: RequestListener = (request, response) => {
      served.push(`${request.method} ${request.url} ${request.headers['x-authenticated-user']}`)
      const { serve = (): unknown => response.end('served') } = options
      request.resume().on('end', () => serve(response, request.url ?? ''))
    }
    const endpoint = `127.0.0.1:${await own(createServer(service))}`
    const resolved = resolveObject(configOf(url, endpoint, options), { file: 'test' })
    if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
    const driver = openNetDriver()
    stack.defer(() => driver.close())
    const gateway = await Gateway.open(resolved.value.config, { driver, ...options.deps })
    stack.defer(() => gateway.close())
    return new OpaStand(opa, gateway, served, stack.move())
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.addresses.get('main')?.port}`
  }

  /** One request as a user, with a token. */
  async ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ readonly status: number; readonly code: string }> {
    const answer = await this.begin(path, init)
    const text = await answer.text()
    return { status: answer.status, code: /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? text }
  }

  /** The same, up to the head of its answer. */
  async begin(path: string, init: RequestInit = {}): Promise<Response> {
    const claims = { kind: 'user', subject: 'ann', audience: 'breakwater', validForMs: 60_000 } as const
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${issuer.sign(claims, Date.now())}`)
    return fetch(this.url + path, { ...init, headers })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function configOf(url: string, endpoint: string, options: OpaStandOptions): ConfigInput {
  const { opa, authorization, route } = options
  return {
    admin: { port: 0 },
    overload: false,
    shed: false,
    listeners: { main: { host: '127.0.0.1', port: 0, timeouts: { halfClosed: '50ms' } } },
    upstreams: { shop: { endpoints: [endpoint] } },
    authorization: {
      opa: { url, path: 'shop/allow', ...opa },
      identity: { testIssuer: { publicKey: issuer.publicKey } },
      ...authorization,
    },
    routes: {
      open: { match: '/open', upstream: 'shop', public: true },
      order: {
        match: '/orders/{id}',
        upstream: 'shop',
        authorize: {
          action: { GET: 'viewOrder', POST: 'editOrder' },
          resource: { type: 'Order', id: '{id}' },
          context: ['workload', 'method'],
          notFound: true,
        },
        retry: false,
        ...route,
      },
    },
  }
}
