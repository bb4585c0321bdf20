import process from 'node:process'

const isWindows = process.platform === 'win32'

/** Signals a process and all that it started, when it leads a group of its own. Nobody there is no mistake. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(isWindows ? leaderPid : -leaderPid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Whether anybody of the group is still there. */
export function isGroupAlive(leaderPid: number): boolean {
  try {
    process.kill(isWindows ? leaderPid : -leaderPid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
