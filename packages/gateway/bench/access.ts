// Microseconds and bytes that authorization adds to one proxied request: the same gateway and the same bytes without it, with it,
// and with its decision log in a folder, in turns of one request and of sixteen. Each in processes of its own, which take turns
// too; the least of each counts. A token that is known, a policy on the object. No decisions are repeated by the official
// engine: that is bounded by the second and not by the request.
//
//   node --conditions=source packages/gateway/bench/access.ts [requests a round] [rounds]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { POLICIES, SCHEMA, entitiesJson } from '../drills/authz/policies.ts'
import { Gateway, TestIssuer } from '../src/index.ts'
import { configOf, MemoryDriver } from './memory-driver.ts'
import type { Sink } from './memory-driver.ts'

// As `breakwater up` runs.
for (const flag of ['--no-allocation-site-pretenuring', '--no-parallel-scavenge']) setFlagsFromString(flag)

const perRound = Number(process.argv[2] ?? 6000)
const rounds = Number(process.argv[3] ?? 3)

const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 197\r\n\r\n${'x'.repeat(197)}`,
)

/** One gateway and as many clients as ask in one turn. */
class World {
  readonly name: string
  readonly turn: number
  readonly #driver: MemoryDriver
  readonly #clients: readonly Sink[]
  readonly #request: Buffer
  cpuUs: number = Infinity
  bytes: number = Infinity

  private constructor(name: string, driver: MemoryDriver, clients: readonly Sink[], request: Buffer) {
    this.name = name
    this.turn = clients.length
    this.#driver = driver
    this.#clients = clients
    this.#request = request
  }

  static async open(name: string, config: string, request: Buffer, turn: number): Promise<World> {
    const driver = new MemoryDriver()
    await Gateway.open(configOf(config), { driver, writeAccessLog: (_batch, done) => done() })
    const clients = Array.from({ length: turn }, () => driver.client())
    const world = new World(name, driver, clients, request)
    for (let round = 0; round < 3; round++) await world.#ask(5) // connections are opened on the way
    const [client] = clients
    if (client === undefined || client.writtenBytes < 3 * answer.length) throw new Error(`${name}: no answer`)
    if (driver.upstreams.length !== turn) throw new Error(`${name}: ${driver.upstreams.length} connections`)
    return world
  }

  async measure(requests: number): Promise<void> {
    const turns = Math.ceil(requests / this.turn)
    const received = this.#received
    const before = getHeapStatistics().total_allocated_bytes
    const used = process.cpuUsage()
    for (let turn = 0; turn < turns; turn++) await this.#ask()
    const { user, system } = process.cpuUsage(used)
    const count = turns * this.turn
    if (this.#received - received < count * answer.length)
      throw new Error(`${this.name}: answers are missing`)
    this.cpuUs = Math.min(this.cpuUs, (user + system) / count)
    this.bytes = Math.min(this.bytes, (getHeapStatistics().total_allocated_bytes - before) / count)
  }

  get #received(): number {
    return this.#clients.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0)
  }

  /** One turn: all clients ask; then the upstream answers all. */
  async #ask(pauses = 1): Promise<void> {
    const driver = this.#driver
    driver.nowMs += 0.5
    for (const client of this.#clients) client.handler?.onBytes(this.#request, driver.nowMs)
    for (let pause = 0; pause < pauses; pause++) await nextTurn()
    driver.nowMs += 0.5
    for (const upstream of driver.upstreams) upstream.handler?.onBytes(answer, driver.nowMs)
    driver.wheel.advance(driver.nowMs)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'breakwater-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'shop.cedar'), POLICIES)
writeFileSync(join(folder, 'shop.cedarschema'), SCHEMA)
writeFileSync(join(folder, 'entities.json'), entitiesJson())
const { issuer } = TestIssuer.create()
const claims = { kind: 'user', subject: 'ada', tenant: 'acme', audience: 'breakwater' } as const
const token = issuer.sign({ ...claims, validForMs: 3_600_000 }, Date.now())
const request = Buffer.from(
  [
    'GET /orders/o1 HTTP/1.1',
    'Host: bench.local',
    'User-Agent: bench/1',
    'Accept: */*',
    'X-Request-Source: bench',
    `Authorization: Bearer ${token}`,
    '\r\n',
  ].join('\r\n'),
)

const route = `match: '/orders/{id}', upstream: backend`
const authorize = `action: { GET: viewOrder }, resource: { type: Order, id: '{id}' }, context: [workload, tenant]`
const guarded = (more: string): string =>
  `authorization: { policies: ${folder}, replay: 0, identity: { testIssuer: { publicKey: ${issuer.publicKey} } }${more} }
routes: { order: { ${route}, authorize: { ${authorize} } } }
`
const NAMES = ['off', 'on', 'on, decision log'] as const
const TURNS = [16, 1]

async function open(name: string, turn: number): Promise<World> {
  const log = `, decisionLog: ${join(folder, 'log')}`
  const config = name === 'off' ? `routes: { order: { ${route} } }\n` : guarded(name === 'on' ? '' : log)
  return World.open(name, config, request, turn)
}

/** One kind of gateway in a process of its own, as it runs in production: other kinds would shape its code. */
async function measureOne(name: string, turn: number): Promise<void> {
  const world = await open(name, turn)
  for (let round = 0; round < 26; round++) {
    if (round === 6) world.cpuUs = world.bytes = Infinity // what came before was for warmth
    await world.measure(perRound)
  }
  writeSync(1, JSON.stringify({ us: world.cpuUs, bytes: world.bytes }))
}

function measureAll(): void {
  const kinds = TURNS.flatMap((turn) => NAMES.map((name) => ({ name, turn, us: Infinity, bytes: Infinity })))
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      const args = [...process.execArgv, import.meta.filename, `${perRound}`, '1', kind.name, `${kind.turn}`]
      const { stdout, status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      if (status !== 0) process.exit(1)
      const { us, bytes } = JSON.parse(stdout.toString()) as { readonly us: number; readonly bytes: number }
      kind.us = Math.min(kind.us, us)
      kind.bytes = Math.min(kind.bytes, bytes)
    }
  }
  for (const { name, turn, us, bytes } of kinds)
    writeSync(
      1,
      `${name.padEnd(18)} ${`${turn}`.padStart(3)} a turn ${us.toFixed(2).padStart(7)} µs ${bytes.toFixed(0).padStart(7)} bytes\n`,
    )
}

const [, , , , only, turn] = process.argv
if (only === undefined) measureAll()
else await measureOne(only, Number(turn))
process.exit(0)
