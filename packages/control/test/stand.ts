import { createServer, request } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { resolveText } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { Gateway } from '@breakwater/gateway'
import { openNetDriver } from '@breakwater/http'

import { openControl } from '../src/index.ts'
import type { Control, ControlDeps, ControlOptions } from '../src/index.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request without a connection of its own kept open. Host may be anything, which `fetch` does not allow. */
export function ask(
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { method = 'GET', headers = {}, body } = options
  const outgoing = request(url, { method, headers, agent: false }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

/** An order as an operator sends it. */
export function order(url: string, body: object): Promise<Answer> {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

export function configOf(yaml: string): GatewayConfig {
  const result = resolveText(yaml)
  if (result.ok) return result.value.config
  throw new Error(JSON.stringify(result.error))
}

/** A gateway with its admin API, everything on free ports of 127.0.0.1. */
export class Stand implements AsyncDisposable {
  readonly gateway: Gateway
  readonly control: Control
  readonly #stack: AsyncDisposableStack

  private constructor(gateway: Gateway, control: Control, stack: AsyncDisposableStack) {
    this.gateway = gateway
    this.control = control
    this.#stack = stack
  }

  static async open(
    yaml: string,
    options: (gateway: Gateway) => Partial<ControlOptions> = () => ({}),
    deps: ControlDeps = {},
  ): Promise<Stand> {
    await using stack = new AsyncDisposableStack()
    const driver = openNetDriver()
    stack.defer(() => driver.close())
    const config = configOf(`admin: { port: 0 }\n${yaml}`)
    const gateway = await Gateway.open(config, { driver })
    stack.defer(() => gateway.close())
    if (config.admin.mode === 'off') throw new Error('the test needs the admin API')
    const control = stack.use(
      await openControl(
        { gateway, admin: config.admin, ...options(gateway) },
        { clock: driver.clock, ...deps },
      ),
    )
    return new Stand(gateway, control, stack.move())
  }

  get dataUrl(): string {
    const [address] = this.gateway.addresses.values()
    return `http://127.0.0.1:${address?.port}`
  }

  get url(): string {
    return this.control.url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** A server that answers everything with 200 and its name. */
export async function openEcho(name: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer((_request, response) => response.end(name))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Asks again and again until the status is the wanted one; the last status after 5 s. */
export async function statusBecomes(url: string, wanted: number): Promise<number> {
  let status = 0
  for (let tries = 0; tries < 100 && status !== wanted; tries++) {
    if (tries > 0) await sleep(50)
    status = (await ask(url)).status
  }
  return status
}
