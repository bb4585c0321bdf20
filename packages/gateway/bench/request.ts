// Microseconds and bytes that one proxied request costs inside the process: the whole gateway on its default controls,
// access log included, between two transports in memory. No socket, no kernel: what is left is ours. What authorization adds:
// access.ts beside it.
//
//   node --conditions=source packages/gateway/bench/request.ts [requests]
import { writeSync } from 'node:fs'
import process from 'node:process'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { Gateway } from '../src/index.ts'
import { configOf, MemoryDriver } from './memory-driver.ts'
import type { Sink } from './memory-driver.ts'

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
  readonly driver: MemoryDriver
  readonly client: Sink
  readonly upstream: Sink
}

async function open(): Promise<World> {
  const driver = new MemoryDriver()
  await Gateway.open(config, { driver, writeAccessLog: (_batch, done) => done() })
  const client = driver.client()
  client.handler?.onBytes(request, driver.nowMs)
  await new Promise((resolve) => setImmediate(resolve))
  const [upstream] = driver.upstreams
  if (upstream === undefined || upstream.writtenBytes === 0) throw new Error('the request did not arrive')
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

function exchange(name: string, { driver, client, upstream }: World, answer: Buffer): void {
  let isFirst = true
  measure(name, count, () => {
    driver.nowMs += 0.05
    if (isFirst) isFirst = false
    else client.handler?.onBytes(request, driver.nowMs)
    driver.nowMs += 0.05
    upstream.handler?.onBytes(answer, driver.nowMs)
    driver.wheel.advance(driver.nowMs)
  })
  if (client.writtenBytes < answer.length * count) throw new Error('answers are missing')
}

function allocatedBytes(): number {
  return getHeapStatistics().total_allocated_bytes
}

for (const [name, answer] of Object.entries(answers)) exchange(name, await open(), answer)

const { driver, client, upstream } = await open()
upstream.handler?.onBytes(eventHead, driver.nowMs)
measure('event', count, () => {
  driver.nowMs += 1
  upstream.handler?.onBytes(event, driver.nowMs)
  driver.wheel.advance(driver.nowMs)
})
if (client.writtenBytes < event.length * count) throw new Error('events are missing')
