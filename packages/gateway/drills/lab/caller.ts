import type { Timer } from '@breakwater/core'
import { FieldList, UpstreamPool } from '@breakwater/http'
import type { ClientExchange, Driver, PoolCounters, PoolOptions, ResponseHandler } from '@breakwater/http'

import type { SimWorld } from './world.ts'

/** What a simulated program sends. */
export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** What became of it. */
export interface Answer {
  /** 0 when there was no answer: the connection failed, the pool was full, or the time was up. */
  readonly status: number
  readonly failure?: 'timeout' | 'pool' | 'connection'
  readonly fields: FieldList
  readonly body: string
}

export interface CallerOptions {
  /** Connections to one service, and how long one may be waited for. A pool that is too large hides trouble, as in life. */
  readonly pool?: PoolOptions
}

const NO_FIELDS = new FieldList()
const LONG_MS = 3_600_000

/** A program's side of its calls to others: a connection pool for each service, and a time limit for each call. */
export class Caller {
  readonly #driver: Driver
  readonly #world: SimWorld
  readonly #options: PoolOptions
  readonly #pools = new Map<string, UpstreamPool>()

  constructor(world: SimWorld, hostName: string, options: CallerOptions = {}) {
    this.#world = world
    this.#driver = world.host(hostName)
    // The time limit of a call is the caller's: the pool must not have a shorter one of its own.
    this.#options = { firstByteTimeoutMs: LONG_MS, idleTimeoutMs: LONG_MS, ...options.pool }
  }

  /** Its pools by the service they lead to. */
  get pools(): ReadonlyMap<string, UpstreamPool> {
    return this.#pools
  }

  /** Counters of the pool to `service`, once there is one. */
  poolOf(service: string): Readonly<PoolCounters> | undefined {
    return this.#pools.get(service)?.counters
  }

  /** Sends `ask` to `service` and calls `done` exactly once. */
  call(
    service: string,
    ask: Ask,
    timeoutMs: number,
    done: (answer: Answer, nowMs: number) => void,
  ): CancelCall {
    return new Calling(
      this.#world,
      this.#pool(service),
      this.#world.addressOf(service).prefix,
      service,
      ask,
      timeoutMs,
      done,
    )
  }

  #pool(service: string): UpstreamPool {
    let pool = this.#pools.get(service)
    if (pool === undefined) {
      const { host, port } = this.#world.addressOf(service)
      pool = new UpstreamPool(this.#driver, { host, port }, this.#options)
      this.#pools.set(service, pool)
    }
    return pool
  }
}

export interface CancelCall {
  /** Gives the call up: its connection is closed, so that the other side may notice. `done` is not called. */
  cancel(): void
}

class Calling implements CancelCall, ResponseHandler {
  readonly #world: SimWorld
  readonly #done: (answer: Answer, nowMs: number) => void
  readonly #timer: Timer
  #exchange: ClientExchange | undefined
  #isOver = false
  #status = 0
  #fields: FieldList = NO_FIELDS
  #body = ''

  constructor(
    world: SimWorld,
    pool: UpstreamPool,
    prefix: string,
    service: string,
    ask: Ask,
    timeoutMs: number,
    done: (answer: Answer, nowMs: number) => void,
  ) {
    this.#world = world
    this.#done = done
    const { method = 'GET', path = '/', fields = {}, body } = ask
    this.#timer = world.clock.schedule(timeoutMs, () => this.#give('timeout', this.#world.clock.now()))
    const init = {
      method,
      target: `${prefix}${path}`,
      authority: service,
      fields: FieldList.from(Object.entries(fields)),
      framing:
        body === undefined ? ({ kind: 'none' } as const) : ({ kind: 'length', bytes: body.length } as const),
    }
    try {
      this.#exchange = pool.send(init, this, world.clock.now())
      if (body !== undefined) {
        this.#exchange.sendData(body)
        this.#exchange.sendEnd()
      }
    } catch {
      // A full pool refuses in this turn; its caller hears of it in a later one, as of everything else.
      world.clock.schedule(0, () => this.#give('pool', world.clock.now()))
    }
  }

  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer.cancel()
    this.#exchange?.abort()
  }

  onHead(head: { readonly status: number; readonly fields: FieldList }): void {
    this.#status = head.status
    this.#fields = head.fields
  }

  onData(chunk: Uint8Array): void {
    this.#body += Buffer.from(chunk).toString('latin1')
  }

  onEnd(_trailers: FieldList | undefined, nowMs: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer.cancel()
    this.#done({ status: this.#status, fields: this.#fields, body: this.#body }, nowMs)
  }

  onError(error: Error & { readonly code?: string }, _progress: unknown, nowMs: number): void {
    const isPool = error.code === 'BW_HTTP_POOL_TIMEOUT' || error.code === 'BW_HTTP_POOL_FULL'
    this.#give(isPool ? 'pool' : 'connection', nowMs)
  }

  #give(failure: NonNullable<Answer['failure']>, nowMs: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer.cancel()
    this.#exchange?.abort()
    this.#done({ status: 0, failure, fields: NO_FIELDS, body: '' }, nowMs)
  }
}
