import { VirtualClock, createRandom } from '@breakwater/core'
import { Gateway } from '@breakwater/gateway'
import { FieldList, HttpServer, SimNetwork } from '@breakwater/http'
import type { Driver, RequestHead, ServerExchange, ServerOptions, Transport } from '@breakwater/http'

import { GATEWAY_PORT, drillConfig } from '../../drills/lab/config.ts'
import type { DrillConfig } from '../../drills/lab/config.ts'
import { RawClient } from '../../drills/lab/raw-client.ts'
import { SERVICE_PORT } from '../../drills/lab/world.ts'
import type { NetworkFaults } from '../../drills/lab/world.ts'
import { parseAnswers } from './answers.ts'
import type { Answer } from './answers.ts'

export interface StageOptions extends DrillConfig {
  readonly faults?: NetworkFaults
  readonly seed?: number
  /** Turns on the access log. */
  readonly log?: (line: string) => void
}

/** A gateway between clients and upstreams on a simulated network; nothing moves but by `run`. */
export class Stage {
  readonly clock: VirtualClock
  readonly network: SimNetwork
  readonly #log: ((line: string) => void) | undefined
  readonly #random: () => number
  #gateway: Gateway | undefined

  private constructor({ seed = 1, faults = { latencyMs: 1 }, log }: Partial<StageOptions>) {
    this.clock = new VirtualClock()
    this.network = new SimNetwork({ seed, clock: this.clock, faults })
    this.#random = createRandom(seed)
    this.#log = log
  }

  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options)
    const log = stage.#log
    stage.#gateway = await Gateway.open(drillConfig(options), {
      driver: stage.host('gateway'),
      random: stage.#random,
      seed: 7,
      ...(log !== undefined && {
        writeAccessLog: (batch, done) => {
          for (const line of Buffer.from(batch).toString('latin1').split('\n')) if (line !== '') log(line)
          done()
        },
      }),
    })
    return stage
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the stage is not open')
    return this.#gateway
  }

  host(name: string): Driver {
    return this.network.driver(name)
  }

  /** Lets virtual time pass. */
  run(forMs: number): void {
    this.clock.runUntil(this.clock.now() + forMs)
  }

  client(from = 'client', port = GATEWAY_PORT): RawClient {
    return RawClient.open(this, from, { host: 'gateway', port })
  }

  /** Sends a whole request on a connection of its own. Fields as lines; `Host: shop` is added. */
  send(start: string, fields: readonly string[] = [], body = '', from = 'client'): RawClient {
    const client = this.client(from)
    client.write(requestText(start, fields, body))
    return client
  }

  /** Sends a request, lets time pass and gives the answer. */
  ask(start: string, fields: readonly string[] = [], body = '', forMs = 100): Answer {
    const client = this.send(start, fields, body)
    this.run(forMs)
    const [answer] = parseAnswers(client.received, start.startsWith('HEAD'))
    client.close()
    if (answer === undefined) throw new Error(`no answer to ${start}: ${JSON.stringify(client.received)}`)
    return answer
  }

  /** Everything that could be left behind by requests that are over. All zeros when nothing is. */
  leftovers(): Record<string, number> {
    const { upstreams } = this.gateway.status()
    const sum = (values: readonly (number | undefined)[]): number =>
      values.reduce<number>((total, value) => total + (value ?? 0), 0)
    return {
      endpoints: sum(upstreams.flatMap(({ endpoints }) => endpoints.map(({ inFlight }) => inFlight))),
      pending: sum(upstreams.flatMap(({ endpoints }) => endpoints.map((one) => one.pendingRequests))),
      bulkheads: sum(upstreams.map(({ bulkhead }) => bulkhead?.inFlight)),
      queued: sum(upstreams.map(({ bulkhead, shedder }) => (bulkhead?.queued ?? 0) + (shedder?.queued ?? 0))),
      adaptive: sum(upstreams.map(({ adaptiveLimit }) => adaptiveLimit?.inFlight)),
      requests: this.metric('breakwater_requests_in_flight'),
    }
  }

  /** Sum of all series of a metric whose labels contain `label`. */
  metric(name: string, label = ''): number {
    return this.gateway.registry
      .expose()
      .split('\n')
      .filter((line) => line.startsWith(name) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }
}

export function requestText(start: string, fields: readonly string[], body: string): string {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  return [`${start} HTTP/1.1`, 'Host: shop', ...length, ...fields, '', body].join('\r\n')
}

/** One request as an origin saw it. */
export interface Seen {
  readonly request: RequestHead
  readonly exchange: ServerExchange
  readonly atMs: number
  body: string
  trailers: FieldList | undefined
  /** When it noticed that nobody waits for its answer. */
  abortedMs: number | undefined
}

/** A server behind the gateway that does what a test tells it to. */
export class Origin {
  readonly seen: Seen[] = []
  /** What to do with a request once its body is there (`isWhole`), or at once. */
  respond: (seen: Seen) => void = (seen) => reply(seen.exchange, 200, 'ok')

  /** Listens on port 80 of the host `name`. */
  static async open(
    stage: Stage,
    name: string,
    options: { readonly isWhole?: boolean; readonly server?: ServerOptions } = {},
  ): Promise<Origin> {
    const origin = new Origin()
    const { isWhole = true, server = {} } = options
    const handler = {
      onRequest: (exchange: ServerExchange, nowMs: number): void => {
        const seen: Seen = {
          request: exchange.request,
          exchange,
          atMs: nowMs,
          body: '',
          trailers: undefined,
          abortedMs: undefined,
        }
        origin.seen.push(seen)
        exchange.onAbort = (_error, atMs) => (seen.abortedMs = atMs)
        if (!isWhole) {
          origin.respond(seen)
          return
        }
        exchange.readBody({
          onData: (chunk) => (seen.body += Buffer.from(chunk).toString('latin1')),
          onEnd: (trailers) => {
            seen.trailers = trailers
            if (exchange.request.body !== 'none') origin.respond(seen)
          },
          onAbort: (_error, atMs) => (seen.abortedMs = atMs),
        })
        if (exchange.request.body === 'none') origin.respond(seen)
      },
    }
    const limits = { keepAliveTimeoutMs: 600_000, bodyIdleTimeoutMs: 600_000, writeStallTimeoutMs: 600_000 }
    await HttpServer.open(stage.host(name), { host: name, port: SERVICE_PORT }, handler, {
      ...limits,
      minBytesPerSecond: 0,
      ...server,
    })
    return origin
  }

  get count(): number {
    return this.seen.length
  }

  get last(): Seen {
    const last = this.seen.at(-1)
    if (last === undefined) throw new Error('nothing has come')
    return last
  }
}

/** Answers with a length. */
export function reply(
  exchange: ServerExchange,
  status: number,
  body = '',
  fields: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(body, 'latin1')
  exchange.sendHead(status, FieldList.from(Object.entries(fields)), { kind: 'length', bytes: bytes.length })
  exchange.sendData(bytes)
  exchange.sendEnd()
}

/** A server that speaks bytes: `onRequest` is called whenever the end of a head has come in one piece. */
export async function rawOrigin(
  stage: Stage,
  name: string,
  onRequest: (transport: Transport, head: string) => void,
): Promise<void> {
  await stage.host(name).listen({ host: name, port: SERVICE_PORT }, (transport) => ({
    onBytes: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      if (text.includes('\r\n\r\n')) onRequest(transport, text)
    },
    onDrain() {},
    onEnd: () => transport.end(),
    onClose() {},
  }))
}
