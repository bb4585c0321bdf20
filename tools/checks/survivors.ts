import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Processes started by this run (they inherit its id) that are still alive. Linux only; elsewhere the list is empty. */
export function survivors(runId: string): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`BREAKWATER_RUN_ID=${runId}`))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
}

/** Processes end while we look at them: one that is gone reads as empty. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
