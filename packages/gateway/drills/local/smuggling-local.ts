import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { requestParser } from '../controls-protocol.ts'
import { judgeSmuggling, smugglingConfig } from '../protocol/smuggling.ts'
import type { Seen } from '../smuggling/naive-backend.ts'
import { payloads } from '../smuggling/payloads.ts'
import { play } from '../smuggling/play.ts'
import { openWire, pause, startGateway, startProgram } from './programs.ts'

export const smugglingLocal: Drill = defineDrill({
  id: 'smuggling-local',
  title: 'The same messages between real processes, and against Node’s own lenient parser',
  threat: threats.requestSmuggling,
  controls: [requestParser],
  lab: 'local',
  arrange: (lab) => ({ lab }),
  async attack({ lab }, { control }) {
    const { ports: backends } = await startProgram(lab, 'backends-process')
    let frontOf: (name: string) => number
    if (control === 'on') {
      const addresses = Object.entries(backends).map(([name, port]) => [name, `${lab.host}:${port}`] as const)
      const port = await startGateway(lab, smugglingConfig({ host: lab.host, port: 0 }, new Map(addresses)))
      frontOf = () => port
    } else {
      const file = join(await lab.tempDir(), 'backends.json')
      await writeFile(file, JSON.stringify(backends))
      const { ports } = await startProgram(lab, 'relays-process', [file])
      frontOf = (name) => ports[name] ?? 0
    }
    const wire = openWire(lab)
    const everyone = payloads.flatMap((payload) => [payload, { ...payload, id: `node-${payload.id}` }])
    return Promise.all(
      everyone.map((payload) =>
        play(payload, {
          wire,
          pause,
          to: { host: lab.host, port: frontOf(payload.id) },
          patienceMs: 1500,
          lookAtBackend: async () => {
            const response = await fetch(`http://${lab.host}:${backends[payload.id] ?? 0}/__seen`)
            return (await response.json()) as Seen
          },
        }),
      ),
    )
  },
  judge: judgeSmuggling,
})
