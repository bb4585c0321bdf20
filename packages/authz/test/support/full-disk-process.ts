// Writes to a log whose file may not grow beyond a limit that its test has set, and says what became of each turn.
import { DecisionLog } from '../../src/log/decision-log.ts'

const [folder = ''] = process.argv.slice(2)
const log = new DecisionLog({ folder })
const decision = {
  decision: 'deny' as const,
  reasons: [],
  errors: [],
  policyVersion: 'v1',
  obligations: [],
  engine: 'compiled',
}
for (let turn = 0; turn < 4; turn += 1) {
  const batch = log.append({ timeMs: 0, decision })
  for (let index = 0; index < 40; index += 1) log.append({ timeMs: 0, decision })
  log.flush()
  process.stdout.write(`${batch.state}\n`)
}
