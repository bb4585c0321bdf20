import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill, SimLab } from '@breakwater/drill'

import { maxConnections, maxConnectionsPerAddress } from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { openGateway } from '../lab/gateway.ts'
import { RawClient } from '../lab/raw-client.ts'
import { SimService } from '../lab/service.ts'
import { sendVisitors } from '../lab/visitors.ts'
import type { Visitors } from '../lab/visitors.ts'
import { SimWorld } from '../lab/world.ts'

const GATE = { host: 'gateway', port: GATEWAY_PORT }
const PLACES = 400
const ATTACK_FROM_MS = 10_000
const END_MS = 40_000
const ASK = 'GET /shop/ HTTP/1.1\r\nHost: shop\r\n\r\n'

interface Wave {
  /** How many addresses the attacker has, and how many connections from each. */
  readonly addresses: number
  readonly each: number
  readonly limits: Readonly<Record<string, number | false>>
}

interface Evidence {
  readonly visitors: Visitors
  mostConnections: number
}

/** Attackers who keep within every time limit: each of their connections asks for something cheap every two seconds. */
async function playWave(lab: SimLab, wave: Wave): Promise<Evidence> {
  const world = new SimWorld(lab)
  await SimService.open(world, { name: 'shop', workers: 100, serviceMs: 2 })
  const gateway = await openGateway(world, { services: { shop: {} }, listener: { limits: wave.limits } })
  lab.defer(() => gateway.close())
  const visitors = sendVisitors(world, {
    from: 'visitors',
    to: GATE,
    request: ASK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    perSecond: 5,
    fromMs: 0,
    untilMs: END_MS,
    timeoutMs: 2000,
    random: world.luck('visitors'),
  })
  const evidence: Evidence = { visitors, mostConnections: 0 }
  for (let number = 0; number < wave.addresses * wave.each; number++) {
    const from = `attacker-${number % wave.addresses}`
    const again = (client: RawClient): void => {
      const next = client.closedMs === undefined ? client : RawClient.open(world, from, GATE)
      next.write(ASK)
      if (world.clock.now() < END_MS) world.clock.schedule(2000, () => again(next))
    }
    world.clock.schedule(ATTACK_FROM_MS + number * 5, () => again(RawClient.open(world, from, GATE)))
  }
  const count = (): void => {
    const open = gateway.status().listeners.reduce((sum, { connections }) => sum + connections, 0)
    evidence.mostConnections = Math.max(evidence.mostConnections, open)
    if (world.clock.now() < END_MS) world.clock.schedule(500, count)
  }
  count()
  return evidence
}

export const connectionFlood: Drill = defineDrill({
  id: 'connection-flood',
  title: 'More connections than there are places, from one address and from many',
  threat: threats.slowClients,
  controls: [maxConnectionsPerAddress, maxConnections],
  lab: 'sim',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const isOn = control === 'on'
    const oneAddress = await playWave(lab, {
      addresses: 1,
      each: 2 * PLACES,
      limits: { maxConnections: PLACES, maxConnectionsPerAddress: isOn ? 50 : false },
    })
    const manyAddresses = await playWave(lab, {
      addresses: 3 * PLACES,
      each: 1,
      limits: { maxConnections: isOn ? PLACES : false },
    })
    await lab.clock.advance(END_MS + 3000)
    return { oneAddress, manyAddresses }
  },
  judge({ oneAddress, manyAddresses }) {
    const served = oneAddress.visitors.goodRatio(ATTACK_FROM_MS + 5000, END_MS)
    const most = manyAddresses.mostConnections
    return {
      outcome: served >= 0.99 && most <= PLACES ? 'contained' : 'breached',
      because: [
        { name: 'visitors served while one address floods', value: served, unit: 'ratio', atLeast: 0.99 },
        { name: 'connections held open for many addresses', value: most, unit: '', atMost: PLACES },
      ],
      honest: [oneAddress, manyAddresses].map(({ visitors }) => ({
        name: 'visitors served before the flood',
        value: visitors.goodRatio(0, ATTACK_FROM_MS - 2000),
        unit: 'ratio',
        atLeast: 0.99,
      })),
    }
  },
})
