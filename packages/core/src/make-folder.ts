import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are missing, with this mode (default: all that the umask leaves). Nothing happens
 * when it is there. `mkdirSync` with `recursive` tries for ever where the system will not make a folder and calls it
 * missing, as `/proc` does: this ends.
 *
 * @throws what the system answers, as `mkdirSync` does.
 */
export function makeFolder(path: string, mode?: number): void {
  if (isFolder(path)) return
  const above = dirname(path)
  if (above !== path) makeFolder(above, mode)
  try {
    mkdirSync(path, mode)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
