import type { Random } from '@breakwater/core'
import { FieldList, HttpServer } from '@breakwater/http'
import type { PoolOptions, RequestHead, ServerExchange } from '@breakwater/http'

import { Caller } from './caller.ts'
import type { Answer } from './caller.ts'
import { WorkerPool } from './worker-pool.ts'
import { SERVICE_PORT, exponential } from './world.ts'
import type { SimWorld } from './world.ts'

/** Another service that must be asked before an answer can be given. */
export interface Downstream {
  readonly service: string
  readonly path?: string
  /** How long this caller waits. Milliseconds. The classic cause of a cascade is a generous one. */
  readonly timeoutMs: number
  /** Without it the answer is given all the same, and says that it is missing. Default false. */
  readonly isOptional?: boolean
  /** Tries in all; a second one follows a failure at once. Default 1. */
  readonly attempts?: number
}

export interface ServiceOptions {
  readonly name: string
  /** Requests worked on at the same time. A worker is held while its downstream calls are under way. */
  readonly workers: number
  /** Mean of a worker's own time for a request (exponential). With `workers` it makes the capacity. Milliseconds, above 0. */
  readonly serviceMs: number
  /** Requests that may wait for a worker; one more gets 503 at once. Default: no bound, as in most programs. */
  readonly maxQueue?: number
  /** Asked one after the other; as a function: depending on what is asked for. */
  readonly calls?: readonly Downstream[] | ((request: RequestHead) => readonly Downstream[])
  /** Connections to each downstream service. */
  readonly pool?: PoolOptions
  /** Drops queued work, and stops before the next call, when its client has gone. Default false: most programs go on. */
  readonly noticesAbort?: boolean
  /** Field with the milliseconds left: nothing is begun without any, calls are made with the rest. Default: ignored. */
  readonly deadlineField?: string
  /** What a request does to the world, once its work is done; its result is the body of the answer. */
  readonly effect?: (request: RequestHead, body: string) => string
}

/** Totals of a service. */
export interface ServiceCounters {
  /** Requests whose head has arrived. */
  arrived: number
  /** Requests that got a worker. */
  started: number
  /** Answers by what they say: complete, without an optional part, or refused and failed. */
  answered: number
  degraded: number
  failed: number
  /** Work that was finished for a client who had gone. */
  wasted: number
}

/** A program with a fixed number of workers, listening on a host of the simulated network. */
export class SimService {
  readonly name: string
  readonly counters: ServiceCounters = {
    arrived: 0,
    started: 0,
    answered: 0,
    degraded: 0,
    failed: 0,
    wasted: 0,
  }
  workers: WorkerPool
  readonly caller: Caller
  /** Times of arrival, for load over time. */
  readonly arrivalsMs: number[] = []
  readonly #world: SimWorld
  readonly #options: ServiceOptions
  readonly #random: Random

  private constructor(world: SimWorld, options: ServiceOptions) {
    this.name = options.name
    this.#world = world
    this.#options = options
    this.#random = world.luck(`service ${options.name}`)
    this.workers = new WorkerPool(options.workers, options.maxQueue ?? Infinity)
    this.caller = new Caller(world, options.name, options.pool === undefined ? {} : { pool: options.pool })
  }

  /** Listens on the host of its name. */
  static async open(world: SimWorld, options: ServiceOptions): Promise<SimService> {
    const service = new SimService(world, options)
    await service.listen()
    return service
  }

  /** Listens again after its host has crashed. */
  async listen(): Promise<void> {
    await HttpServer.open(
      this.#world.host(this.name),
      { host: this.name, port: SERVICE_PORT },
      { onRequest: (exchange, nowMs) => this.#arrive(exchange, nowMs) },
      { keepAliveTimeoutMs: 600_000 },
    )
  }

  /** The program ends: every connection is lost, and all that it was working on. `listen` starts it again, with nothing. */
  crash({ maxQueue = this.#options.maxQueue ?? Infinity }: { readonly maxQueue?: number } = {}): void {
    this.#world.network.crash(this.name)
    this.workers = new WorkerPool(this.#options.workers, maxQueue)
  }

  setWorkers(workers: number): void {
    this.workers.setWorkers(workers, this.#world.clock.now())
  }

  #arrive(exchange: ServerExchange, nowMs: number): void {
    this.counters.arrived++
    this.arrivalsMs.push(nowMs)
    const work = new Work(
      this.#world,
      this,
      this.#options,
      exchange,
      exponential(this.#options.serviceMs, this.#random),
    )
    if (!this.workers.take(work, nowMs)) work.refuse()
  }
}

/** One request on its way through a service. */
class Work {
  readonly #world: SimWorld
  readonly #service: SimService
  /** A crash gives the service other ones. */
  readonly #workers: WorkerPool
  readonly #options: ServiceOptions
  readonly #exchange: ServerExchange
  readonly #ownMs: number
  readonly #calls: readonly Downstream[]
  readonly #arrivedMs: number
  readonly #missing: string[] = []
  #body = ''
  #isClientGone = false

  constructor(
    world: SimWorld,
    service: SimService,
    options: ServiceOptions,
    exchange: ServerExchange,
    ownMs: number,
  ) {
    this.#world = world
    this.#service = service
    this.#workers = service.workers
    this.#options = options
    this.#exchange = exchange
    this.#ownMs = ownMs
    this.#arrivedMs = exchange.startedMs
    const { calls = [] } = options
    this.#calls = typeof calls === 'function' ? calls(exchange.request) : calls
    exchange.onAbort = () => (this.#isClientGone = true)
    exchange.readBody({
      onData: (chunk) => (this.#body += Buffer.from(chunk).toString('latin1')),
      onEnd: () => {},
      onAbort: () => (this.#isClientGone = true),
    })
  }

  isGone(): boolean {
    return this.#isClientGone && this.#options.noticesAbort === true
  }

  refuse(): void {
    this.#service.counters.failed++
    this.#send(503, 'queue full')
  }

  start(): void {
    if (this.#leftMs() <= 0) {
      this.#fail('deadline')
      return
    }
    this.#service.counters.started++
    this.#world.clock.schedule(this.#ownMs, () => this.#ask(0, 1))
  }

  /** Asks the downstream services in turn, then answers. */
  #ask(index: number, attempt: number): void {
    const downstream = this.#calls[index]
    if (downstream === undefined || this.isGone()) {
      this.#finish()
      return
    }
    const leftMs = this.#leftMs()
    const timeoutMs = Math.min(downstream.timeoutMs, leftMs)
    if (timeoutMs <= 0) {
      this.#fail('deadline')
      return
    }
    const { deadlineField } = this.#options
    const fields =
      deadlineField === undefined || leftMs === Infinity
        ? {}
        : { [deadlineField]: String(Math.floor(leftMs)) }
    const ask = { path: downstream.path ?? '/', fields }
    this.#service.caller.call(downstream.service, ask, timeoutMs, (answer) =>
      this.#answered(index, attempt, answer),
    )
  }

  #answered(index: number, attempt: number, answer: Answer): void {
    const downstream = this.#calls[index]
    if (downstream === undefined) return
    const isGood = answer.status >= 200 && answer.status < 300
    if (isGood) this.#missing.push(...missingOf(answer))
    else if (attempt < (downstream.attempts ?? 1)) {
      this.#ask(index, attempt + 1)
      return
    } else if (downstream.isOptional === true) this.#missing.push(downstream.service)
    else {
      // Who refuses for lack of capacity is passed on as such.
      this.#fail(downstream.service, answer.status === 503 ? 503 : 502)
      return
    }
    this.#ask(index + 1, 1)
  }

  #finish(): void {
    const { counters } = this.#service
    const body = this.#options.effect?.(this.#exchange.request, this.#body) ?? 'done'
    if (this.#isClientGone) counters.wasted++
    else if (this.#missing.length > 0) counters.degraded++
    else counters.answered++
    this.#send(200, body)
    this.#workers.release(this.#world.clock.now())
  }

  #fail(because: string, status = 502): void {
    this.#service.counters.failed++
    this.#send(status, `without ${because}`)
    this.#workers.release(this.#world.clock.now())
  }

  #send(status: number, body: string): void {
    const fields = new FieldList()
    if (this.#missing.length > 0) fields.set(MISSING_FIELD, [...new Set(this.#missing)].join(', '))
    const bytes = Buffer.from(body, 'latin1')
    this.#exchange.sendHead(status, fields, { kind: 'length', bytes: bytes.length })
    this.#exchange.sendData(bytes)
    this.#exchange.sendEnd()
  }

  /** What is left of the deadline that came with the request. Malformed or absent: all the time in the world. */
  #leftMs(): number {
    const { deadlineField } = this.#options
    const given = deadlineField === undefined ? undefined : this.#exchange.request.fields.get(deadlineField)
    if (given === undefined || !/^\d{1,9}$/.test(given)) return Infinity
    return Number(given) - (this.#world.clock.now() - this.#arrivedMs)
  }
}

/** Names the optional parts that an answer lacks, whatever hop they were lost at. */
export const MISSING_FIELD = 'x-missing'

/** The parts that an answer says it lacks, through the services or through the gateway. */
export function missingOf(answer: Pick<Answer, 'fields'>): string[] {
  return [answer.fields.get(MISSING_FIELD), answer.fields.get('breakwater-degraded')]
    .filter((value) => value !== undefined)
    .flatMap((value) => value.split(/\s*,\s*/))
}
