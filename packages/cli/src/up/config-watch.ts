import { readFileSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Editors write in several steps, and some replace the file. */
const SETTLE_MS = 100

/** Calls `onChange` when the content of a file has changed, whichever way it was written. */
export function watchFile(file: string, onChange: () => void): Disposable {
  let known = contentOf(file)
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const content = contentOf(file)
    // Gone for a moment while it is being replaced: not a change yet.
    if (content === undefined || content === known) return
    known = content
    onChange()
  }
  // The folder, not the file: a watch on a file ends when an editor puts another in its place.
  const watcher: FSWatcher = watch(dirname(file), (_event, name) => {
    if (name !== null && name !== basename(file)) return
    clearTimeout(timer)
    timer = setTimeout(look, SETTLE_MS)
  })
  // Without the watch SIGHUP and the admin API still reload.
  watcher.on('error', () => watcher.close())
  return {
    [Symbol.dispose](): void {
      clearTimeout(timer)
      watcher.close()
    },
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
