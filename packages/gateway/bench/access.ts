// Microseconds and bytes that authorization adds to one proxied request: the same gateway and the same bytes without it, with it,
// and with its decision log in a folder, in turns of one request and of sixteen. The three take turns too, many rounds; the least
// of each counts. A token that is known, a policy on the object. A thread of the official engine that repeats decisions is in the
// figures, as it is by default.
//
//   node --conditions=source packages/gateway/bench/access.ts [requests a round] [rounds]
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

const perRound = Number(process.argv[2] ?? 8000)
const rounds = Number(process.argv[3] ?? 15)

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
    if (client === undefined || client.received < 3 * answer.length) throw new Error(`${name}: no answer`)
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
    return this.#clients.reduce((sum, { received }) => sum + received, 0)
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
  `authorization: { policies: ${folder}, identity: { testIssuer: { publicKey: ${issuer.publicKey} } }${more} }
routes: { order: { ${route}, authorize: { ${authorize} } } }
`
const worlds: World[] = []
for (const turn of [16, 1]) {
  const log = `, decisionLog: ${join(folder, `log-${turn}`)}`
  worlds.push(
    await World.open('off', `routes: { order: { ${route} } }\n`, request, turn),
    await World.open('on', guarded(''), request, turn),
    await World.open('on, decision log', guarded(log), request, turn),
  )
}
for (let round = 0; round < rounds + 3; round++) {
  for (const world of worlds) {
    if (round === 3) world.cpuUs = world.bytes = Infinity // what came before was for warmth
    await world.measure(perRound)
  }
}
for (const { name, turn, cpuUs, bytes } of worlds)
  writeSync(
    1,
    `${name.padEnd(18)} ${`${turn}`.padStart(3)} a turn ${cpuUs.toFixed(2).padStart(7)} µs ${bytes.toFixed(0).padStart(7)} bytes\n`,
  )
// The thread that repeats decisions would stay.
process.exit(0)
