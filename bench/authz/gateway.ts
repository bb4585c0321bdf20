// What authorization adds to a request through the gateway: the in-process benchmark with it off and on.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { conditions, writeResult } from '../lib/report.ts'

const script = join(import.meta.dirname, '../../packages/gateway/bench/request.ts')
const LINE = /^(access off|access on)\s+([\d.]+) µs\s+(\d+) bytes$/gm

export function benchGatewayAccess(): void {
  const run = spawnSync(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', script, '100000'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const rows = [...run.stdout.toString().matchAll(LINE)].map(([, authorization = '', us, bytes]) => ({
    authorization: authorization.replace('access ', ''),
    'CPU µs a request': Number(us),
    'bytes a request': Number(bytes),
  }))
  if (rows.length !== 2) throw new Error(`${script} printed no figures: exit ${run.status}`)
  console.table(rows)
  const notes = [
    'The whole gateway between two transports in memory, without sockets; a token that is known, a policy on the object, no decision log.',
  ]
  writeResult('authz-gateway', { conditions: conditions(), notes, rows })
}
