import { threats } from '@breakwater/contract'
import type { ConfigInput } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'
import { TestIssuer } from '@breakwater/gateway'

import { failClosed } from '../controls-authz.ts'
import { pause, startGateway, startProgram } from './programs.ts'

/** What befalls the engine, one after the other; at the end it is gone. */
const TROUBLES = ['silent', 'failing', 'elsewhere', 'garbled', 'undefined', 'wordy', 'cut'] as const
const TRIES_EACH = 3
const BREAKER_OPEN_MS = 300

const { issuer } = TestIssuer.create()

function configOf(host: string, servicePort: number, opaPort: number, isOn: boolean): ConfigInput {
  return {
    admin: false,
    overload: false,
    shed: false,
    telemetry: { accessLog: false },
    listeners: { main: { host, port: 0 } },
    upstreams: { shop: { endpoints: [`${host}:${servicePort}`] } },
    authorization: {
      // Dark mode is what fails open: it decides, tells, and lets everything pass.
      mode: isOn ? 'enforce' : 'dark',
      opa: {
        url: `http://${host}:${opaPort}`,
        path: 'shop/allow',
        timeout: '200ms',
        breaker: { consecutiveFailures: 10, openFor: `${BREAKER_OPEN_MS}ms`, probes: 1 },
      },
      identity: { testIssuer: { publicKey: issuer.publicKey } },
    },
    routes: {
      open: { match: '/products', upstream: 'shop', public: true },
      order: {
        match: '/orders/{id}',
        upstream: 'shop',
        authorize: { action: { GET: 'viewOrder' }, resource: { type: 'Order', id: '{id}' } },
      },
    },
  }
}

/** The decisions are made by a process of their own, and that process falls ill in every way there is, and dies. */
export const deadEngine: Drill = defineDrill({
  id: 'dead-engine',
  title: 'The policy engine is silent, talks nonsense, sends elsewhere, dies: nobody can be asked',
  threat: threats.policyEngineDown,
  controls: [failClosed],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const service = await startProgram(lab, 'service-process', ['20', '1'])
    const opa = await startProgram(lab, 'opa-process')
    const opaPort = opa.ports['opa'] ?? 0
    const config = configOf(lab.host, service.ports['service'] ?? 0, opaPort, control === 'on')
    const port = await startGateway(lab, config)
    const ask = async (path: string): Promise<number> => {
      const claims = { kind: 'user', subject: 'ada', audience: 'breakwater', validForMs: 60_000 } as const
      const headers = { authorization: `Bearer ${issuer.sign(claims, Date.now())}` }
      return (await fetch(`http://${lab.host}:${port}${path}`, { headers })).status
    }
    const fallInto = (mood: string): Promise<Response> =>
      fetch(`http://${lab.host}:${opaPort}/__mood`, { method: 'PUT', body: mood })

    const honest = [await ask('/orders/o1'), await ask('/products')]
    const attacked: number[] = []
    for (const trouble of TROUBLES) {
      await fallInto(trouble)
      for (let count = 0; count < TRIES_EACH; count++) attacked.push(await ask('/orders/o3'))
    }
    honest.push(await ask('/products'))
    await fallInto('')
    await pause(2 * BREAKER_OPEN_MS)
    honest.push(await ask('/orders/o1'))
    await opa.process.stop()
    for (let count = 0; count < TRIES_EACH; count++) attacked.push(await ask('/orders/o3'))
    honest.push(await ask('/products'))
    return {
      passed: attacked.filter((status) => status === 200).length,
      // A refusal of our own: told apart from what a policy denies.
      unexplained: attacked.filter((status) => status !== 200 && status < 500).length,
      honest: honest.filter((status) => status === 200).length / honest.length,
    }
  },
  judge: ({ passed, unexplained, honest }) => ({
    outcome: passed === 0 ? 'contained' : 'breached',
    because: [
      {
        name: 'requests let through although nobody could decide',
        value: passed,
        unit: 'requests',
        atMost: 0,
      },
      { name: 'refusals that look like a decision', value: unexplained, unit: 'requests', atMost: 0 },
    ],
    honest: [{ name: 'honest requests served', value: honest, unit: 'ratio', atLeast: 1 }],
  }),
})
