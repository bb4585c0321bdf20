// npm run bench -- [proxy|resilience|authz] [--rounds n] [--seconds n] [--streams n]
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    streams: { type: 'string', default: '2000' },
  },
})

const benches: Readonly<Record<string, () => Promise<void>>> = {
  async proxy() {
    const { benchProxy } = await import('./proxy/run.ts')
    await benchProxy({
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      streams: Number(values.streams),
    })
  },
  async resilience() {
    const { benchResilience } = await import('./resilience/run.ts')
    await benchResilience(Number(values.rounds))
  },
  async authz() {
    const { benchAuthz } = await import('./authz/run.ts')
    await benchAuthz(Number(values.rounds))
    const { benchGatewayAccess } = await import('./authz/gateway.ts')
    benchGatewayAccess()
  },
}

const names = positionals.length === 0 ? Object.keys(benches) : positionals
const unknown = names.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
for (const name of names) await benches[name]?.()
