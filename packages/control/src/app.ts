import type { GatewayConfig } from '@breakwater/contract'
import type { Clock } from '@breakwater/core'
import type { Gateway } from '@breakwater/gateway'
import { METRICS_CONTENT_TYPE, startTrace } from '@breakwater/telemetry'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { AUTHZEN_PATHS, BUNDLE_PATH, mountAuthZen, mountBundle } from './authorization.ts'
import { shownConfig } from './config-view.ts'
import { errors } from './errors.ts'
import { refuseBrowsersOfOthers, requireToken } from './guard.ts'
import { Operator, readBreakerOrder } from './operator.ts'
import { problemResponse } from './problem.ts'
import type { ReloadReport } from './reloader.ts'

export interface AppOptions {
  readonly gateway: Gateway
  readonly clock: Clock
  /** Brings the token that is asked for; left out, none is. */
  readonly readToken: (() => string) | undefined
  readonly reload: (() => Promise<ReloadReport>) | undefined
  readonly lastReload: () => ReloadReport | undefined
  /** Address of this API. */
  readonly ownUrl: () => string
  readonly drain: () => void
  readonly onError: (error: unknown, traceId: string) => void
}

const MAX_BODY_BYTES = 16 * 1024
const NO_STORE = { 'cache-control': 'no-store' } as const
const READS = [
  '/healthz/startup',
  '/healthz/live',
  '/healthz/ready',
  '/metrics',
  '/status',
  '/config',
] as const
const ORDERS = [
  '/upstreams/:name/breaker',
  '/authorization/breaker',
  '/upstreams/:name/endpoints/:id/eject',
  '/upstreams/:name/endpoints/:id/uneject',
  '/reload',
  '/drain',
] as const

/** The admin API without its listener. */
export function createApp(options: AppOptions): Hono {
  const { gateway, clock, readToken, reload, lastReload } = options
  const operator = new Operator(gateway, clock)
  const app = new Hono()

  app.onError((error, context) => {
    const traceId = traceOf(context)
    const response = problemResponse(error, traceId)
    if (response.status === 500) options.onError(error, traceId)
    return response
  })
  app.notFound((context) => {
    throw errors.BW_CONTROL_ROUTE_NOT_FOUND(`nothing answers ${context.req.method} ${context.req.path}`)
  })
  app.use(refuseBrowsersOfOthers)

  // Probes carry no token: they tell no more than a connection attempt does.
  app.get('/healthz/startup', () => verdict(gateway.isStarted))
  app.get('/healthz/live', () => verdict(true))
  app.get('/healthz/ready', () => verdict(gateway.isReady))

  if (readToken !== undefined) app.use(requireToken(readToken))
  mountAuthZen(app, { gateway, ownUrl: options.ownUrl, traceOf })
  mountBundle(app, gateway)
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw errors.BW_CONTROL_BODY_TOO_LARGE(`the body has more than ${MAX_BODY_BYTES} bytes`)
      },
    }),
  )
  app.get('/', (context) =>
    context.json({ get: [...READS, BUNDLE_PATH], post: ORDERS, put: [BUNDLE_PATH], authzen: AUTHZEN_PATHS }),
  )
  app.get('/metrics', (context) =>
    isOff(gateway.config.telemetry.metrics)
      ? problemOf(context, errors.BW_CONTROL_SWITCHED_OFF('telemetry.metrics is off'))
      : context.text(gateway.registry.expose(), 200, { 'content-type': METRICS_CONTENT_TYPE, ...NO_STORE }),
  )
  app.get('/status', (context) =>
    context.json(
      {
        schemaVersion: 1,
        name: gateway.config.name,
        pid: process.pid,
        nowMs: clock.now(),
        ...gateway.status(),
        lastReload: lastReload(),
      },
      200,
      NO_STORE,
    ),
  )
  app.get('/config', (context) => context.json(shownConfig(gateway.config), 200, NO_STORE))

  app.post('/upstreams/:name/breaker', async (context) => {
    const name = context.req.param('name')
    operator.steerBreaker(name, readBreakerOrder(await jsonOf(context)))
    return context.json(upstreamStatus(gateway, name), 200, NO_STORE)
  })
  app.post('/authorization/breaker', async (context) => {
    operator.steerOpaBreaker(readBreakerOrder(await jsonOf(context)))
    return context.json(gateway.status().authorization, 200, NO_STORE)
  })
  for (const order of ['eject', 'uneject'] as const) {
    app.post(`/upstreams/:name/endpoints/:id/${order}`, (context) => {
      const { name, id } = context.req.param()
      operator.setEjected(name, id, order === 'eject')
      return context.json(upstreamStatus(gateway, name), 200, NO_STORE)
    })
  }
  app.post('/reload', async (context) => {
    if (reload === undefined) throw errors.BW_CONTROL_SWITCHED_OFF('this gateway was not started from a file')
    const report = await reload()
    if (!report.isRefused) return context.json(report, 200, NO_STORE)
    const { problems, failure } = report
    throw errors.BW_CONTROL_RELOAD_REFUSED(failure ?? 'nothing of the file is in effect', {
      details: { problems },
    })
  })
  app.post('/drain', (context) => {
    options.drain()
    return context.json({ draining: true }, 202, NO_STORE)
  })
  for (const path of READS) app.all(path, () => refuseMethod('GET, HEAD'))
  for (const path of ORDERS) app.all(path, () => refuseMethod('POST'))
  return app
}

function verdict(isGood: boolean): Response {
  return new Response(isGood ? 'ok\n' : 'no\n', {
    status: isGood ? 200 : 503,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...NO_STORE },
  })
}

function isOff(metrics: GatewayConfig['telemetry']['metrics']): boolean {
  return metrics.mode === 'off'
}

function refuseMethod(allow: string): never {
  throw errors.BW_CONTROL_METHOD_NOT_ALLOWED(`this path takes ${allow} only`, { details: { allow } })
}

function traceOf(context: Context): string {
  return startTrace({ traceparent: context.req.header('traceparent') }).traceId
}

function problemOf(context: Context, error: Error): Response {
  return problemResponse(error, traceOf(context))
}

async function jsonOf(context: Context): Promise<unknown> {
  const type = context.req.header('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw errors.BW_CONTROL_BODY_INVALID(`the content type is "${type.slice(0, 100)}", not application/json`)
  }
  const text = await context.req.text()
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw errors.BW_CONTROL_BODY_INVALID('the body is not JSON', { cause })
  }
}

function upstreamStatus(gateway: Gateway, name: string): object {
  return gateway.status().upstreams.find((upstream) => upstream.name === name) ?? {}
}
