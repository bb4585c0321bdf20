import { formatProblem, resolveObject } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { VirtualClock, createRandom } from '@breakwater/core'
import { Gateway, TestIssuer } from '@breakwater/gateway'
import { FieldList, HttpServer, SimNetwork } from '@breakwater/http'
import type { Driver, RequestHead, TransportHandler } from '@breakwater/http'

const GATEWAY_PORT = 80
const SERVICE_PORT = 80
/** Long enough for one request through a network without latency. */
const TURN_MS = 50

/**
 * The real gateway with the routes and policies of a configuration, on a simulated network in this process. One service stands
 * for all upstreams; it checks nothing. Everything that is not about access is off, so that nothing else hides a hole.
 */
export class SimGateway {
  /** What reached the service since it was last emptied. */
  readonly reached: RequestHead[] = []
  readonly issuer: TestIssuer = TestIssuer.create().issuer
  readonly #clock = new VirtualClock()
  readonly #network: SimNetwork
  readonly #client: Driver
  readonly #epochMs: number
  #gateway: Gateway | undefined

  private constructor(epochMs: number) {
    this.#epochMs = epochMs
    this.#network = new SimNetwork({ seed: 1, clock: this.#clock })
    this.#client = this.#network.driver('attacker')
  }

  /** `examples`: further entities, as JSON. Throws what `Gateway.open` throws. */
  static async open(
    config: GatewayConfig,
    examples: string | undefined,
    epochMs: number,
  ): Promise<SimGateway> {
    const sim = new SimGateway(epochMs)
    await HttpServer.open(
      sim.#network.driver('service'),
      { host: 'service', port: SERVICE_PORT },
      {
        onRequest(exchange) {
          sim.reached.push(exchange.request)
          exchange.readBody({ onData() {}, onEnd() {}, onAbort() {} })
          exchange.sendHead(204, new FieldList(), { kind: 'none' })
          exchange.sendEnd()
        },
      },
    )
    sim.#gateway = await Gateway.open(simulated(config, sim.issuer), {
      driver: sim.#network.driver('gateway'),
      random: createRandom(1),
      seed: 1,
      epochMs: () => sim.nowMs,
    })
    if (examples !== undefined) sim.#gateway.entities?.apply({ upsert: examples })
    return sim
  }

  /** Milliseconds since 1970, in there. */
  get nowMs(): number {
    return this.#epochMs + this.#clock.now()
  }

  /** Sends each request on a connection of its own, all at the same moment, and waits until all is over. */
  async send(requests: readonly string[]): Promise<void> {
    for (const request of requests) {
      this.#client.connect(
        { host: 'gateway', port: GATEWAY_PORT },
        (transport) => {
          transport.write(request)
          return new Deaf(() => transport.end())
        },
        () => {},
      )
    }
    this.#clock.runUntil(this.#clock.now() + TURN_MS)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async close(): Promise<void> {
    await this.#gateway?.close()
  }
}

/** A client that does not care for the answer. */
class Deaf implements TransportHandler {
  readonly onEnd: () => void

  constructor(onEnd: () => void) {
    this.onEnd = onEnd
  }

  onBytes(): void {}
  onDrain(): void {}
  onClose(): void {}
}

/** Every control off, under the keys that users have. */
function off<const Name extends string>(...names: readonly Name[]): Readonly<Record<Name, false>> {
  return Object.fromEntries(names.map((name) => [name, false])) as Record<Name, false>
}

function simulated(config: GatewayConfig, issuer: TestIssuer): GatewayConfig {
  const resolved = resolveObject(
    {
      ...off('shed', 'overload', 'admin'),
      telemetry: { accessLog: false },
      listeners: { main: { host: '0.0.0.0', port: GATEWAY_PORT } },
      upstreams: {
        service: {
          endpoints: [`service:${SERVICE_PORT}`],
          ...off('slowStart', 'outlierEjection', 'healthCheck', 'breaker', 'bulkhead'),
          ...off('adaptiveLimit', 'clientThrottle', 'retryBudget'),
        },
      },
      routes: {
        bare: {
          match: '/*',
          upstream: 'service',
          ...off('deadline', 'retry', 'hedge', 'rateLimit', 'idempotencyKey', 'coalesce'),
          ...off('staleIfError', 'ladder'),
        },
      },
    },
    { file: 'the simulated gateway' },
  )
  if (!resolved.ok) throw new Error(resolved.error.map(formatProblem).join('\n'))
  const bare = resolved.value.config
  const { authorization } = config
  const [bareRoute] = bare.routes
  if (authorization.mode === 'off' || bareRoute === undefined) throw new Error('authorization is off')
  const { publicKey, name } = issuer
  const identity = { ...authorization.identity, testIssuer: { publicKey, name, keysDir: undefined } }
  return {
    ...bare,
    name: config.name,
    authorization: { ...authorization, identity, decisionLogDir: undefined, replay: 0, mode: 'enforce' },
    routes: config.routes.map(({ name: route, match, tenant, authorize, public: open }) => ({
      ...bareRoute,
      name: route,
      match,
      tenant,
      authorize,
      public: open,
    })),
  }
}
