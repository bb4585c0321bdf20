import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isBreakwaterError } from '@breakwater/core'
import { idempotencyKeyOf, readContext, traceIdOf } from './context.ts'
import type { CallContext } from './context.ts'
import { errors } from './errors.ts'
import { problemOf, readBody, send } from './exchange.ts'
import { faultsSchema } from './faults.ts'
import type { FaultBox } from './faults.ts'
import type { Identity } from './identity.ts'
import { findRoute } from './router.ts'
import type { Answer, Service } from './service.ts'
import type { WorkSlots } from './work-slots.ts'

export interface ServiceServerOptions {
  readonly service: Service
  readonly identity: Identity
  readonly faults: FaultBox
  readonly slots: WorkSlots
  /** Whether `/__fault` answers, to callers on the loopback interface only. */
  readonly mayInjectFaults: boolean
  /** A request that brings no deadline gets this much time. */
  readonly ownTimeoutMs: number
}

/** A service on a socket: health, deadlines, workers, routes, problems, and an orderly end. */
export class ServiceServer {
  readonly #options: ServiceServerOptions
  readonly #server: Server
  #isListening = false
  #isDraining = false

  constructor(options: ServiceServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#answer(request, response))
    // Longer than any caller keeps a connection idle, so that it is never us who close under a request.
    this.#server.keepAliveTimeout = 75_000
  }

  /** Starts to listen; rejects when it cannot, with the reason of the operating system. */
  async listen(host: string, port: number): Promise<AddressInfo> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    this.#isListening = true
    return this.#server.address() as AddressInfo
  }

  /** Turns not ready, takes no new connection, lets requests in flight end for at most `timeoutMs`, closes the service. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    this.#server.closeIdleConnections()
    const giveUp = setTimeout(() => this.#server.closeAllConnections(), timeoutMs)
    await closed
    clearTimeout(giveUp)
    this.#options.service.close?.()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request)
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the caller went away')))
    let context: CallContext | undefined
    let answer: Answer
    try {
      const direct = this.#health(target.path) ?? (await this.#fault(request, target.path))
      if (direct === undefined) {
        const { ownTimeoutMs, identity } = this.#options
        context = readContext(request, gone.signal, ownTimeoutMs, identity)
        answer = await this.#work(request, target, context)
      } else answer = direct
    } catch (error) {
      if (gone.signal.aborted) return
      if (!isBreakwaterError(error)) console.error(error)
      answer = problemOf(error, context === undefined ? '' : traceIdOf(context))
    }
    send(response, answer, !this.#isDraining && request.complete)
  }

  async #work(request: IncomingMessage, { path, query }: Target, context: CallContext): Promise<Answer> {
    const { service, slots, faults } = this.#options
    const { route, params } = findRoute(service.routes, request.method ?? '', path)
    if (context.deadlineAtMs <= performance.now()) {
      throw errors.SHOP_DEADLINE_EXCEEDED('the time of this request was over when it arrived')
    }
    idempotencyKeyOf(request.headers)
    await slots.take(context.signal)
    try {
      await faults.suffer(context.signal)
      return await route.handle({
        context,
        headers: request.headers,
        params,
        query,
        body: (schema) => readBody(request, schema),
      })
    } finally {
      slots.release()
    }
  }

  /** Live: the process answers. Startup: it has begun to listen. Ready: it wants traffic. No downstream is asked. */
  #health(path: string): Answer | undefined {
    const answer = (isGood: boolean, name: string): Answer => ({
      status: isGood ? 200 : 503,
      body: { [name]: isGood },
      headers: { 'cache-control': 'no-store' },
    })
    if (path === '/healthz/live') return answer(true, 'live')
    if (path === '/healthz/startup') return answer(this.#isListening, 'started')
    if (path === '/healthz/ready') return answer(this.#isListening && !this.#isDraining, 'ready')
    return undefined
  }

  async #fault(request: IncomingMessage, path: string): Promise<Answer | undefined> {
    const { faults, slots, service, mayInjectFaults } = this.#options
    const isLoopback = /^(?:::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '')
    if (path !== '/__fault' || !mayInjectFaults || !isLoopback) return undefined
    if (request.method === 'POST') faults.set(await readBody(request, faultsSchema))
    if (request.method === 'DELETE') faults.set(faultsSchema.parse({}))
    const state = { busyWorkers: slots.busy, waitingRequests: slots.waiting, ...service.state?.() }
    return { status: 200, body: { faults: faults.current, state }, headers: { 'cache-control': 'no-store' } }
  }
}

interface Target {
  readonly path: string
  readonly query: URLSearchParams
}

/** What is asked for, letter by letter: a `URL` reads `//a/b` as a host and a path, resolves dots, and does not take everything. */
function targetOf({ url = '/' }: IncomingMessage): Target {
  const mark = url.indexOf('?')
  if (mark < 0) return { path: url, query: new URLSearchParams() }
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}
