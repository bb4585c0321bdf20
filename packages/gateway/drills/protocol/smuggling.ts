import { resolveObject, threats } from '@breakwater/contract'
import type { ConfigInput, GatewayConfig } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, Judgement } from '@breakwater/drill'
import { Gateway } from '@breakwater/gateway'

import { requestParser } from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { SERVICE_PORT, SimWorld } from '../lab/world.ts'
import { NaiveBackend, summaryOf } from '../smuggling/naive-backend.ts'
import { NaiveRelay } from '../smuggling/naive-relay.ts'
import { SERVED_BEFORE, play, verdictOf } from '../smuggling/play.ts'
import type { Played } from '../smuggling/play.ts'
import { payloads } from '../smuggling/payloads.ts'

const RELAY_PORT = 8081

/** A gateway with a host for each backend; what is below /shop is open, but not what is below /shop/internal. */
export function smugglingConfig(
  listen: { readonly host: string; readonly port: number },
  backends: ReadonlyMap<string, string>,
): ConfigInput {
  return {
    admin: false,
    overload: false,
    telemetry: { accessLog: false },
    listeners: { main: { ...listen, limits: { maxBody: false } } },
    upstreams: {
      ...Object.fromEntries(
        [...backends].map(([name, address]) => [name, { endpoints: [address], pool: { maxConnections: 4 } }]),
      ),
      nowhere: { endpoints: ['127.0.0.1:1'] },
    },
    routes: {
      ...Object.fromEntries(
        [...backends].map(([name]) => [name, { match: { path: '/shop/*', hosts: [name] }, upstream: name }]),
      ),
      internal: { match: { path: '/shop/internal/*', hosts: [...backends.keys()] }, upstream: 'nowhere' },
    },
  }
}

function resolved(input: ConfigInput): GatewayConfig {
  const result = resolveObject(input, { file: 'the configuration of a drill' })
  if (result.ok) return result.value.config
  throw new Error(result.error.map(({ path, message }) => `${path}: ${message}`).join('\n'))
}

export const requestSmuggling: Drill = defineDrill({
  id: 'smuggling',
  title: 'Messages that two servers read differently, with and without Breakwater as the first of them',
  threat: threats.requestSmuggling,
  controls: [requestParser],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),
  async attack({ lab, world }, { control }) {
    const backends = new Map<string, NaiveBackend>()
    for (const { id, back, front, habits } of payloads) {
      const driver = world.host(id)
      backends.set(id, await NaiveBackend.open(driver, { host: id, port: SERVICE_PORT }, back))
      await NaiveRelay.open(
        driver,
        { host: id, port: RELAY_PORT },
        { host: id, port: SERVICE_PORT },
        { quirks: front, ...(habits === undefined ? {} : { habits }) },
      )
    }
    const addresses = new Map(payloads.map(({ id }) => [id, `${id}:${SERVICE_PORT}`]))
    const config = resolved(smugglingConfig({ host: '0.0.0.0', port: GATEWAY_PORT }, addresses))
    const gateway = await Gateway.open(config, {
      driver: world.host('gateway'),
      random: world.luck('gateway'),
      seed: 1,
    })
    lab.defer(() => gateway.close())
    const playing = Promise.all(
      payloads.map((payload) =>
        play(payload, {
          wire: world,
          to:
            control === 'on'
              ? { host: 'gateway', port: GATEWAY_PORT }
              : { host: payload.id, port: RELAY_PORT },
          pause: (ms) => new Promise((resolve) => void world.clock.schedule(ms, resolve)),
          patienceMs: 500,
          lookAtBackend: () => {
            const backend = backends.get(payload.id)
            return backend === undefined ? { seen: [], secrets: 0 } : summaryOf(backend)
          },
        }),
      ),
    )
    await lab.clock.advance(10_000)
    return await playing
  },
  judge: judgeSmuggling,
})

export function judgeSmuggling(played: readonly Played[]): Judgement {
  const damage = played.filter((one) => verdictOf(one) === 'damage')
  const arrived = played.filter((one) => verdictOf(one) === 'arrived')
  const secrets = played.reduce((sum, { backend }) => sum + backend.secrets, 0)
  const some = (list: readonly Played[]): string =>
    list.length === 0 || list.length > 6 ? '' : ` (${list.map(({ payload }) => payload.id).join(', ')})`
  return {
    outcome: damage.length === 0 && arrived.length === 0 ? 'contained' : 'breached',
    because: [
      {
        name: `of ${played.length} payloads, those that did damage${some(damage)}`,
        value: damage.length,
        unit: '',
        atMost: 0,
      },
      {
        name: `ambiguous ones that were not refused with 4xx and close${some(arrived)}`,
        value: arrived.length,
        unit: '',
        atMost: 0,
      },
      { name: 'requests that reached what no front door leads to', value: secrets, unit: '', atMost: 0 },
    ],
    honest: [
      {
        name: 'people served rightly before each attack',
        value: Math.min(...played.map(({ servedBefore }) => servedBefore)),
        unit: '',
        atLeast: SERVED_BEFORE,
      },
    ],
  }
}
