// A process of its own: ends the services when `breakwater up` was ended in a way that left it no time to (kill -9).
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import { isGroupAlive, signalGroup } from './process-group.ts'

const PATIENCE_MS = 5_000
const STEP_MS = 50
let pids: readonly number[] = []

process.on('message', (message: readonly number[]) => {
  pids = message
})
process.on('disconnect', () => {
  void end().then(() => process.exit(0))
})

async function end(): Promise<void> {
  for (const pid of pids) signalGroup(pid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && pids.some(isGroupAlive); waitedMs += STEP_MS) {
    await sleep(STEP_MS)
  }
  for (const pid of pids) signalGroup(pid, 'SIGKILL')
}
