import type { Server } from 'node:http'

import { createAdaptorServer } from '@hono/node-server'
import { readSecret } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { systemClock } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { Gateway } from '@breakwater/gateway'
import { collectProcessMetrics, resilienceMetrics, subscribeToMechanisms } from '@breakwater/telemetry'
import { createApp } from './app.ts'
import { errors } from './errors.ts'
import { collectGatewayGauges } from './live-gauges.ts'
import { isLoopback } from './loopback.ts'
import type { Reloader } from './reloader.ts'

export interface ControlOptions {
  readonly gateway: Gateway
  readonly admin: Exclude<GatewayConfig['admin'], { readonly mode: 'off' }>
  /** Answers `POST /reload`. Without it that path is refused. */
  readonly reloader?: Pick<Reloader, 'reload' | 'last'>
  /** What `POST /drain` begins. Default: `gateway.drain()`. */
  readonly drain?: () => void
  /** Told of failures that nobody foresaw. */
  readonly onError?: (error: unknown, traceId: string) => void
}

export interface ControlDeps {
  /** The clock of the gateway's driver: the state machines count on it. */
  readonly clock?: Clock
  /** Where secrets are looked up. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** The admin API of one gateway, listening. Disposing of it closes it at once. */
export interface Control extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:9901` */
  readonly url: string
}

/**
 * Opens the admin API on its own loopback listener: health, metrics, state, operator's orders. Adds the gauges of the
 * controls, the counters of their decisions and the metrics of the process to the gateway's registry; one gateway takes
 * one control.
 *
 * @throws `BW_CONTROL_ADDRESS_REFUSED` for a host that others can reach.
 * @throws `BW_CONTROL_START_FAILED` when the address cannot be had.
 * @throws `BW_CONFIG_SECRET_MISSING` when the token cannot be read.
 */
export async function openControl(options: ControlOptions, deps: ControlDeps = {}): Promise<Control> {
  const { gateway, admin, reloader, drain, onError } = options
  const { clock = systemClock, environment = process.env } = deps
  const { host, port, token } = admin
  if (!isLoopback(host)) {
    throw errors.BW_CONTROL_ADDRESS_REFUSED(`the admin API would be reachable from elsewhere on ${host}`)
  }
  const readToken = token === undefined ? undefined : () => readSecret(token, environment)
  readToken?.()
  let ownUrl = ''
  const app = createApp({
    gateway,
    ownUrl: () => ownUrl,
    clock,
    readToken,
    reload: reloader === undefined ? undefined : () => reloader.reload(),
    lastReload: () => reloader?.last,
    drain: drain ?? (() => void gateway.drain()),
    onError: onError ?? (() => {}),
  })
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16_384,
    },
  }) as Server
  server.maxConnections = 100
  const listening = await listen(server, host, port)
  ownUrl = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`
  using stack = new DisposableStack()
  stack.use(collectGatewayGauges(gateway.registry, gateway))
  stack.use(subscribeToMechanisms(gateway.registry, resilienceMetrics))
  stack.use(collectProcessMetrics(gateway.registry))
  const owned = stack.move()
  return {
    host,
    port: listening,
    url: ownUrl,
    async [Symbol.asyncDispose](): Promise<void> {
      owned.dispose()
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'that address is not one of this machine',
}

function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', (cause: NodeJS.ErrnoException) => {
    const reason = REASONS[cause.code ?? ''] ?? cause.message
    reject(
      errors.BW_CONTROL_START_FAILED(`the admin API cannot listen on ${host}:${port}: ${reason}`, {
        details: { host, port },
        cause,
      }),
    )
  })
  server.listen(port, host, () => {
    const address = server.address()
    resolve(address !== null && typeof address === 'object' ? address.port : port)
  })
  return promise
}
