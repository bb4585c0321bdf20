import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import { LazyTimer } from '../internal/lazy-timer.ts'
import type { RequestInit } from '../messages.ts'
import type { ConnectOptions, Connecting, Driver } from '../transport.ts'
import { ClientConnection } from './connection.ts'
import type { ConnectionOwner } from './connection.ts'
import type { ClientExchange, RequestTimeouts, ResponseHandler } from './handler.ts'
import { resolvePoolOptions } from './options.ts'
import type { PoolOptions, ResolvedPoolOptions } from './options.ts'
import { PooledRequest } from './pooled-request.ts'
import type { RequestHome } from './pooled-request.ts'

/** Gauges and totals of a pool. Totals only grow. */
export interface PoolCounters {
  /** Open connections, busy or idle. */
  open: number
  idle: number
  connecting: number
  /** Requests that wait for a connection. */
  pending: number
  connectsTotal: number
  connectFailuresTotal: number
  /** Requests that found an idle connection. */
  reusesTotal: number
  /** Requests sent again because an idle connection turned out to be closed. */
  replaysTotal: number
  /** Refused because the queue was full. */
  refusalsTotal: number
  /** Given up after `pendingTimeoutMs`. */
  pendingTimeoutsTotal: number
}

interface Attempt {
  connecting: Connecting | undefined
  timer: LazyTimer | undefined
}

/**
 * The connections to one endpoint. The idle connection used last is used first, so that surplus ones grow old and close.
 * Bounded on all sides: connections, waiting requests, waiting time.
 */
export class UpstreamPool implements ConnectionOwner, RequestHome {
  readonly endpoint: ConnectOptions
  readonly counters: Readonly<PoolCounters>
  readonly #driver: Driver
  readonly #options: ResolvedPoolOptions
  readonly #counts: PoolCounters
  readonly #connections = new Set<ClientConnection>()
  readonly #attempts = new Set<Attempt>()
  readonly #idle: ClientConnection[] = []
  readonly #waiting: PooledRequest[] = []
  readonly #timer: LazyTimer
  #closed = false

  /** @throws `BW_HTTP_OPTIONS_INVALID`. */
  constructor(driver: Driver, endpoint: ConnectOptions, options: PoolOptions = {}) {
    this.#driver = driver
    this.endpoint = endpoint
    this.#options = resolvePoolOptions(options)
    this.#counts = {
      open: 0,
      idle: 0,
      connecting: 0,
      pending: 0,
      connectsTotal: 0,
      connectFailuresTotal: 0,
      reusesTotal: 0,
      replaysTotal: 0,
      refusalsTotal: 0,
      pendingTimeoutsTotal: 0,
    }
    this.counters = this.#counts
    this.#timer = new LazyTimer(driver.wheel, (nowMs) => this.#expireWaiting(nowMs))
  }

  /**
   * Sends a request on an idle or a new connection, or lets it wait for one. The handler is never called during this call.
   *
   * @throws `BW_HTTP_POOL_FULL` when `maxPending` requests wait already.
   * @throws `BW_HTTP_POOL_CLOSED` after `close`.
   * @throws `BW_HTTP_REQUEST_LINE_INVALID` when method, target or authority cannot stand in a request line.
   */
  send(
    request: RequestInit,
    handler: ResponseHandler,
    nowMs: number,
    timeouts?: RequestTimeouts,
  ): ClientExchange {
    if (this.#closed) throw errors.BW_HTTP_POOL_CLOSED('the pool of this endpoint is closed')
    const pooled = new PooledRequest(request, handler, this, timeouts)
    const connection = this.#idle.pop()
    if (connection !== undefined) {
      this.#counts.idle--
      try {
        pooled.start(connection, nowMs)
      } catch (error) {
        connection.close()
        throw error
      }
      this.#counts.reusesTotal++
      return pooled
    }
    const mayOpen = this.#mayOpen()
    if (!mayOpen && this.#waiting.length - this.#attempts.size >= this.#options.maxPending) {
      this.#counts.refusalsTotal++
      throw errors.BW_HTTP_POOL_FULL(
        `${this.#options.maxConnections} connections are busy and ${this.#waiting.length} requests wait`,
      )
    }
    const { pendingTimeoutMs, connectTimeoutMs } = this.#options
    pooled.deadlineMs = nowMs + pendingTimeoutMs + (mayOpen ? connectTimeoutMs : 0)
    this.#waiting.push(pooled)
    this.#noteWaiting()
    if (mayOpen) this.#open(nowMs)
    return pooled
  }

  /** Takes no more requests, closes idle connections and fails those that wait. Requests under way are finished. */
  close(): void {
    this.#closed = true
    const nowMs = this.#driver.clock.now()
    for (const attempt of this.#attempts) {
      attempt.connecting?.cancel()
      attempt.timer?.release()
    }
    this.#attempts.clear()
    this.#counts.connecting = 0
    for (const connection of this.#idle.splice(0)) connection.close()
    for (const request of this.#waiting.splice(0))
      request.refuse(errors.BW_HTTP_POOL_CLOSED('the pool was closed'), nowMs)
    this.#counts.idle = 0
    this.#noteWaiting()
    this.#timer.release()
  }

  // --- RequestHome

  forget(request: PooledRequest): void {
    const at = this.#waiting.indexOf(request)
    if (at >= 0) this.#waiting.splice(at, 1)
    this.#noteWaiting()
  }

  replay(request: PooledRequest): boolean {
    if (this.#closed) return false
    const nowMs = this.#driver.clock.now()
    request.deadlineMs = nowMs + this.#options.pendingTimeoutMs + this.#options.connectTimeoutMs
    this.#waiting.unshift(request)
    this.#noteWaiting()
    this.#counts.replaysTotal++
    // The dead connection still counts; when it is gone, `onGone` opens another if this could not.
    if (this.#mayOpen()) this.#open(nowMs)
    return true
  }

  // --- ConnectionOwner

  onIdle(connection: ClientConnection, nowMs: number): void {
    if (this.#closed) {
      connection.close()
      return
    }
    const at = this.#waiting.findIndex((request) => !request.freshOnly || connection.requests === 0)
    if (at < 0) {
      this.#idle.push(connection)
      this.#counts.idle++
      connection.park(nowMs)
      return
    }
    const [request] = this.#waiting.splice(at, 1)
    this.#noteWaiting()
    if (request === undefined) return
    try {
      request.start(connection, nowMs)
    } catch (error) {
      connection.close()
      request.refuse(error as HttpError, nowMs)
    }
  }

  onGone(connection: ClientConnection, nowMs: number): void {
    if (!this.#connections.delete(connection)) return
    this.#counts.open = this.#connections.size
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) {
      this.#idle.splice(at, 1)
      this.#counts.idle--
    }
    this.#openForWaiting(nowMs)
  }

  // --- within

  #mayOpen(): boolean {
    return this.#connections.size + this.#attempts.size < this.#options.maxConnections
  }

  #openForWaiting(nowMs: number): void {
    while (!this.#closed && this.#waiting.length > this.#attempts.size && this.#mayOpen()) this.#open(nowMs)
  }

  #open(nowMs: number): void {
    const attempt: Attempt = { connecting: undefined, timer: undefined }
    const { connectTimeoutMs } = this.#options
    this.#attempts.add(attempt)
    this.#counts.connecting = this.#attempts.size
    this.#counts.connectsTotal++
    attempt.timer = new LazyTimer(this.#driver.wheel, (atMs) => {
      attempt.connecting?.cancel()
      const message = `no connection to ${this.#name()} within ${connectTimeoutMs} ms`
      this.#failed(attempt, errors.BW_HTTP_UPSTREAM_CONNECT_TIMEOUT(message), atMs)
    })
    attempt.timer.set(nowMs + connectTimeoutMs)
    attempt.connecting = this.#driver.connect(
      this.endpoint,
      (transport, atMs) => {
        this.#over(attempt)
        const connection = new ClientConnection(transport, this.#driver, this.#options, this, atMs)
        this.#connections.add(connection)
        this.#counts.open = this.#connections.size
        this.onIdle(connection, atMs)
        return connection
      },
      (cause, atMs) => {
        const message = `cannot connect to ${this.#name()}: ${cause.message}`
        this.#failed(attempt, errors.BW_HTTP_UPSTREAM_UNREACHABLE(message, { cause }), atMs)
      },
    )
  }

  #name(): string {
    return `${this.endpoint.host}:${this.endpoint.port}`
  }

  #over(attempt: Attempt): void {
    attempt.timer?.release()
    this.#attempts.delete(attempt)
    this.#counts.connecting = this.#attempts.size
  }

  #failed(attempt: Attempt, error: HttpError, nowMs: number): void {
    this.#over(attempt)
    this.#counts.connectFailuresTotal++
    const request = this.#waiting.shift()
    this.#noteWaiting()
    request?.refuse(error, nowMs)
    this.#openForWaiting(nowMs)
  }

  #noteWaiting(): void {
    this.#counts.pending = this.#waiting.length
    let earliestMs = Infinity
    for (const request of this.#waiting) if (request.deadlineMs < earliestMs) earliestMs = request.deadlineMs
    if (earliestMs === Infinity) this.#timer.clear()
    else this.#timer.set(earliestMs)
  }

  #expireWaiting(nowMs: number): void {
    const late = this.#waiting.filter((request) => request.deadlineMs <= nowMs)
    for (const request of late) this.forget(request)
    this.#noteWaiting()
    for (const request of late) {
      this.#counts.pendingTimeoutsTotal++
      const message = `no connection to ${this.#name()} became free within ${this.#options.pendingTimeoutMs} ms`
      request.refuse(errors.BW_HTTP_POOL_TIMEOUT(message), nowMs)
    }
  }
}
