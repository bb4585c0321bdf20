// Microseconds and bytes that one proxied request costs inside the process: the whole gateway on its default controls,
// access log included, between two transports in memory. No socket, no kernel: what is left is ours.
//
//   node --conditions=source packages/gateway/bench/request.ts [requests]
import { mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { resolveText } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { DeadlineWheel } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { ConnectOptions, Connecting, Driver, Listener, ListenOptions } from '@breakwater/http'
import type { Transport, TransportHandler } from '@breakwater/http'
import { POLICIES, SCHEMA, entitiesJson } from '../drills/authz/policies.ts'
import { Gateway, TestIssuer } from '../src/index.ts'

/** Takes everything, keeps nothing, says how much it was. */
class Sink implements Transport {
  readonly bufferedBytes = 0
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 40_000
  readonly secure = false
  received = 0
  handler: TransportHandler | undefined

  write(chunk: Uint8Array | string): boolean {
    this.received += chunk.length
    return true
  }

  cork(): void {}
  uncork(): void {}
  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

/** Time that the bench moves, connections that the bench feeds. */
class BenchDriver implements Driver {
  nowMs = 1000
  readonly wheel = new DeadlineWheel(1000)
  readonly clock: Clock = {
    now: () => this.nowMs,
    schedule: () => ({ cancel: () => undefined }),
  }
  readonly upstreams: Sink[] = []
  #accept: ((transport: Transport, nowMs: number) => TransportHandler) | undefined

  listen(
    options: ListenOptions,
    accept: (transport: Transport, nowMs: number) => TransportHandler,
  ): Promise<Listener> {
    this.#accept = accept
    return Promise.resolve({
      host: options.host,
      port: options.port,
      connections: 0,
      prepare: () => () => undefined,
      close: () => Promise.resolve(),
    })
  }

  connect(
    _options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
  ): Connecting {
    setImmediate(() => {
      const transport = new Sink()
      this.upstreams.push(transport)
      transport.handler = onOpen(transport, this.nowMs)
    })
    return { cancel: () => undefined }
  }

  client(): Sink {
    const transport = new Sink()
    transport.handler = this.#accept?.(transport, this.nowMs)
    return transport
  }
}

function configOf(routes: string): GatewayConfig {
  const text = `listeners:
  public: { port: 8080 }
upstreams:
  backend: { endpoints: [127.0.0.1:9000] }
${routes}`
  const config = resolveText(text, { file: 'bench.yaml' })
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  return config.value.config
}
const config = configOf('routes: { all: { match: /*, upstream: backend } }\n')

const count = Number(process.argv[2] ?? 200_000)
const request = Buffer.from(
  'GET /small HTTP/1.1\r\nHost: bench.local\r\nUser-Agent: bench/1\r\nAccept: */*\r\nX-Request-Source: bench\r\n\r\n',
)
const answerOf = (bytes: number, type: string): Buffer =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`,
  )
const answers = {
  small: answerOf(197, 'application/json'),
  '16k': answerOf(16_384, 'application/octet-stream'),
}
const eventHead = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
)
const event = Buffer.from(`2f\r\ndata: ${'z'.repeat(39)}\n\n\r\n`)

// As `breakwater up` runs.
for (const flag of ['--no-allocation-site-pretenuring', '--no-parallel-scavenge']) setFlagsFromString(flag)

interface World {
  readonly driver: BenchDriver
  readonly client: Sink
  readonly upstream: Sink
}

async function open(used: GatewayConfig = config, first: Buffer = request): Promise<World> {
  const driver = new BenchDriver()
  await Gateway.open(used, { driver, writeAccessLog: (_batch, done) => done() })
  const client = driver.client()
  client.handler?.onBytes(first, driver.nowMs)
  await new Promise((resolve) => setImmediate(resolve))
  const [upstream] = driver.upstreams
  if (upstream === undefined || upstream.received === 0) throw new Error('the request did not arrive')
  return { driver, client, upstream }
}

function measure(name: string, count: number, once: () => void): void {
  for (let index = 0; index < 30_000; index++) once()
  let best = Infinity
  let bytes = Infinity
  const rounds = 10
  const each = Math.ceil(count / rounds)
  for (let round = 0; round < rounds; round++) {
    const before = allocatedBytes()
    const { user, system } = process.cpuUsage()
    for (let index = 0; index < each; index++) once()
    const after = process.cpuUsage({ user, system })
    best = Math.min(best, (after.user + after.system) / each)
    bytes = Math.min(bytes, (allocatedBytes() - before) / each)
  }
  writeSync(1, `${name.padEnd(16)} ${best.toFixed(2).padStart(7)} µs ${bytes.toFixed(0).padStart(7)} bytes\n`)
}

function exchange(name: string, { driver, client, upstream }: World, asked: Buffer, answer: Buffer): void {
  let isFirst = true
  measure(name, count, () => {
    driver.nowMs += 0.05
    if (isFirst) isFirst = false
    else client.handler?.onBytes(asked, driver.nowMs)
    driver.nowMs += 0.05
    upstream.handler?.onBytes(answer, driver.nowMs)
    driver.wheel.advance(driver.nowMs)
  })
  if (client.received < answer.length * count) throw new Error('answers are missing')
}

function allocatedBytes(): number {
  return getHeapStatistics().total_allocated_bytes
}

for (const [name, answer] of Object.entries(answers)) exchange(name, await open(), request, answer)

// The same bytes with authorization off and on: a token that is known, a policy on the object, no decision log.
const folder = mkdtempSync(join(tmpdir(), 'breakwater-bench-'))
try {
  writeFileSync(join(folder, 'shop.cedar'), POLICIES)
  writeFileSync(join(folder, 'shop.cedarschema'), SCHEMA)
  writeFileSync(join(folder, 'entities.json'), entitiesJson())
  const { issuer } = TestIssuer.create()
  const claims = { kind: 'user', subject: 'ada', tenant: 'acme', audience: 'breakwater' } as const
  const token = issuer.sign({ ...claims, validForMs: 3_600_000 }, Date.now())
  const guarded = Buffer.from(
    request
      .toString()
      .replace('/small', '/orders/o1')
      .replace('\r\n\r\n', `\r\nAuthorization: Bearer ${token}\r\n\r\n`),
  )
  const route = `match: '/orders/{id}', upstream: backend`
  const authorize = `action: { GET: viewOrder }, resource: { type: Order, id: '{id}' }, context: [workload, tenant]`
  const identity = `testIssuer: { publicKey: ${issuer.publicKey} }`
  for (const [name, text] of [
    ['access off', `routes: { order: { ${route} } }\n`],
    [
      'access on',
      `authorization: { policies: ${folder}, identity: { ${identity} } }\nroutes: { order: { ${route}, authorize: { ${authorize} } } }\n`,
    ],
  ] as const)
    exchange(name, await open(configOf(text), guarded), guarded, answers.small)
} finally {
  rmSync(folder, { recursive: true })
}

const { driver, client, upstream } = await open()
upstream.handler?.onBytes(eventHead, driver.nowMs)
measure('event', count, () => {
  driver.nowMs += 1
  upstream.handler?.onBytes(event, driver.nowMs)
  driver.wheel.advance(driver.nowMs)
})
if (client.received < event.length * count) throw new Error('events are missing')
// The thread that repeats decisions would stay.
process.exit(0)
