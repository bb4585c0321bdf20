// Decides, records, and acts on allows only once they are recorded. Killed at any moment by its test.
import { appendFileSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DecisionLog } from '../../src/log/decision-log.ts'

const [folder = '', run = ''] = process.argv.slice(2)
const log = new DecisionLog({ folder: join(folder, 'log'), maxFileBytes: 65_536 })
const acted = openSync(join(folder, 'acted.txt'), 'a')

async function handle(id: string, isAllowed: boolean): Promise<void> {
  const entry = {
    timeMs: Date.now(),
    traceId: id,
    request: {
      principal: { type: 'User', id: 'ada' },
      action: { type: 'Action', id: 'refund' },
      resource: { type: 'Invoice', id },
    },
    decision: {
      decision: isAllowed ? ('allow' as const) : ('deny' as const),
      reasons: ['p'],
      errors: [],
      policyVersion: 'v1',
      obligations: [],
      engine: 'compiled' as const,
    },
  }
  await log.append(entry).written()
  // The refund: from here on it has happened.
  if (isAllowed) writeSync(acted, `${id}\n`)
}

appendFileSync(join(folder, 'started.txt'), `${run}\n`)
for (let turn = 0; ; turn += 1) {
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => handle(`${run}-${turn}-${index}`, index % 3 !== 0)),
  )
}
