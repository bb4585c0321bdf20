import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { trustedProxies } from '../controls-protocol.ts'
import { GATEWAY_PORT } from '../lab/config.ts'
import { openGateway } from '../lab/gateway.ts'
import { SimService } from '../lab/service.ts'
import { sendVisitors } from '../lab/visitors.ts'
import { SimWorld } from '../lab/world.ts'

const GATE = { host: 'gateway', port: GATEWAY_PORT }
const END_MS = 20_000
const RATE_PER_SECOND = 5

const ask = (path: string, ...fields: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: shop', 'Connection: close', ...fields, '', ''].join('\r\n')

export const forgedForwarded: Drill = defineDrill({
  id: 'forged-forwarded',
  title: 'A client invents addresses, to be many or to be one of the house',
  threat: threats.forgedForwardedHeaders,
  controls: [trustedProxies],
  lab: 'sim',
  arrange: (lab) => ({ lab, world: new SimWorld(lab) }),
  async attack({ lab, world }, { control }) {
    // As many services do: what comes from the machine itself may see the numbers.
    await SimService.open(world, {
      name: 'shop',
      workers: 100,
      serviceMs: 2,
      effect: ({ path, fields }) => {
        const [first = ''] = (fields.get('x-forwarded-for') ?? '').split(',')
        const isOwn = first.trim() === '127.0.0.1' || /for="?127\.0\.0\.1/.test(fields.get('forwarded') ?? '')
        return path === '/shop/numbers' && isOwn ? 'the secret numbers' : 'welcome'
      },
    })
    const gateway = await openGateway(world, {
      services: {
        shop: { route: { rateLimit: { rate: `${RATE_PER_SECOND}/s`, burst: RATE_PER_SECOND, key: 'ip' } } },
      },
      // Behind a balancer the setting is needed; what must not be in it is everybody.
      listener: { trustForwardedFrom: control === 'on' ? ['10.255.0.0/16'] : ['0.0.0.0/0', '::/0'] },
    })
    lab.defer(() => gateway.close())
    const common = { to: GATE, fromMs: 0, untilMs: END_MS, timeoutMs: 1000 }
    const visitors = sendVisitors(world, {
      ...common,
      from: 'visitor',
      request: ask('/shop/'),
      perSecond: 1,
      random: world.luck('visitor'),
    })
    const luck = world.luck('forged addresses')
    const address = (): string => [1, 2, 3, 4].map(() => Math.floor(luck() * 223) + 1).join('.')
    const many = sendVisitors(world, {
      ...common,
      from: 'one-who-is-many',
      request: () => ask('/shop/', `X-Forwarded-For: ${address()}`),
      perSecond: 20 * RATE_PER_SECOND,
      random: world.luck('one-who-is-many'),
    })
    const insider = sendVisitors(world, {
      ...common,
      from: 'insider',
      request: ask('/shop/numbers', 'X-Forwarded-For: 127.0.0.1', 'Forwarded: for=127.0.0.1'),
      perSecond: 2,
      random: world.luck('insider'),
    })
    await lab.clock.advance(END_MS + 2000)
    return { visitors, many, insider }
  },
  judge({ visitors, many, insider }) {
    const passed = many.visits.filter(({ status }) => status === 200).length
    const allowed = RATE_PER_SECOND * (END_MS / 1000 + 1)
    const secrets = insider.visits.filter(({ answer }) => answer.includes('secret')).length
    return {
      outcome: passed <= allowed && secrets === 0 ? 'contained' : 'breached',
      because: [
        {
          name: 'requests of one client that the limit by address let pass',
          value: passed,
          unit: 'requests',
          atMost: allowed,
        },
        { name: 'answers meant for the machine itself', value: secrets, unit: 'requests', atMost: 0 },
      ],
      honest: [{ name: 'visitors served', value: visitors.goodRatio(), unit: 'ratio', atLeast: 0.99 }],
    }
  },
})
