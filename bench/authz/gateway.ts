// What authorization adds to a request through the gateway, without and with its decision log.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { conditions, writeResult } from '../lib/report.ts'

const script = join(import.meta.dirname, '../../packages/gateway/bench/access.ts')
const LINE = /^(off|on|on, decision log)\s+(\d+) a turn\s+([\d.]+) µs\s+(\d+) bytes$/gm

export function benchGatewayAccess(): void {
  const run = spawnSync(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const found = [...run.stdout.toString().matchAll(LINE)].map(([, name = '', turn, us, bytes]) => ({
    name,
    turn: Number(turn),
    us: Number(us),
    bytes: Number(bytes),
  }))
  if (found.length !== 6) throw new Error(`${script} printed no figures: exit ${run.status}`)
  const rows = found.map(({ name, turn, us, bytes }) => {
    const off = found.find((other) => other.name === 'off' && other.turn === turn)
    return {
      'requests a turn': turn,
      authorization: name,
      'CPU µs a request': us,
      'bytes a request': bytes,
      'added µs': Math.round((us - (off?.us ?? 0)) * 100) / 100,
      'added bytes': bytes - (off?.bytes ?? 0),
    }
  })
  console.table(rows)
  const notes = [
    'The whole gateway between two transports in memory, without sockets; a token that is known, a policy on the object. Each row is measured in processes of its own, which take turns; the least of many rounds counts. Repetitions by the official engine (`replay`) are off: in another thread, at most ten a second of about two milliseconds each, whatever the number of requests.',
    'With the decision log a request goes on once its record is in the file: all records of one turn of the event loop are one write. Under load a turn holds many requests; with one it is a write for each.',
  ]
  writeResult('authz-gateway', { conditions: conditions(), notes, rows })
}
