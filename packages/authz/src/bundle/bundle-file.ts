import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AuthzError, messageOf } from '../errors.ts'
import { refusedBundle, type BundleManifest } from './bundle.ts'

const OWNER_ALONE = 0o600

type Release = Pick<BundleManifest, 'name' | 'version'>

export interface BundleFileDeps {
  /** What only tests replace: the moment at which the new takes the place of the old. */
  readonly rename?: (from: string, to: string) => void
}

/**
 * The file from which bundles are taken, and beside it (`<file>.min-version`) the highest version that was ever accepted, so that a
 * process that begins anew takes no older one. The bundle is replaced as a whole: killed at any moment, the old one is there or
 * the new one. Both are for their owner alone (mode 0600, or what of it the file before had).
 *
 * This keeps out old bundles that come back: a restored copy, a late delivery, somebody who may write that one file. Whoever owns
 * the folder can delete the record as well.
 */
export class BundleFile {
  readonly path: string
  readonly #recordPath: string
  readonly #rename: NonNullable<BundleFileDeps['rename']>

  constructor(path: string, deps: BundleFileDeps = {}) {
    this.path = path
    this.#recordPath = `${path}.min-version`
    this.#rename = deps.rename ?? renameSync
  }

  /**
   * The highest version of bundles of this name that was ever accepted; 1 when none is on record.
   *
   * @throws `BW_AUTHZ_BUNDLE_REFUSED` when there is a record that cannot be read: it may say no.
   */
  minVersion(name: string): number {
    const record = this.#record()
    return record?.name === name ? record.version : 1
  }

  /**
   * Looks at the record again: another process may have taken a newer bundle from the same file meanwhile.
   *
   * @throws `BW_AUTHZ_BUNDLE_REFUSED` when one of a higher version was ever accepted, or the record cannot be read.
   */
  requireNewest({ name, version }: Release): void {
    const least = this.minVersion(name)
    if (version < least) throw refusedBundle(`version ${version}, at least ${least}`)
  }

  /**
   * Puts a verified bundle in the place of the one before and its version on record. False when the latter failed: the bundle is
   * there.
   *
   * @throws `BW_AUTHZ_BUNDLE_UNSTORED`: the bundle before is still there; what `requireNewest` throws.
   */
  put(signed: Uint8Array, release: Release): boolean {
    this.requireNewest(release)
    const [bundle, record] = [temporaryFor(this.path), temporaryFor(this.#recordPath)]
    try {
      writeThrough(bundle, signed, this.path)
      writeThrough(record, recordText(release), this.#recordPath)
      // Before the record: a process killed in between leaves a bundle that the record still allows.
      this.#rename(bundle, this.path)
    } catch (cause) {
      for (const file of [bundle, record]) rmSync(file, { force: true })
      throw new AuthzError('BW_AUTHZ_BUNDLE_UNSTORED', `the bundle cannot be written: ${messageOf(cause)}`, {
        cause,
      })
    }
    return this.#replaceRecord(record)
  }

  /** Puts the version of a bundle on record that came with the file. False where nothing can be written. */
  keep(release: Release): boolean {
    try {
      const record = this.#record()
      if (record?.name === release.name && record.version >= release.version) return true
      const temporary = temporaryFor(this.#recordPath)
      writeThrough(temporary, recordText(release), this.#recordPath)
      return this.#replaceRecord(temporary)
    } catch {
      return false
    }
  }

  #replaceRecord(temporary: string): boolean {
    try {
      this.#rename(temporary, this.#recordPath)
      flushFolder(dirname(this.path))
      return true
    } catch {
      rmSync(temporary, { force: true })
      return false
    }
  }

  #record(): Release | undefined {
    try {
      const { name, version } = JSON.parse(readFileSync(this.#recordPath, 'utf8')) as Partial<Release>
      if (typeof name === 'string' && Number.isSafeInteger(version)) return { name, version: version ?? 0 }
      throw new TypeError('it holds no name and version')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw refusedBundle(`${this.#recordPath}, which may forbid it, cannot be read`, cause)
    }
  }
}

function recordText({ name, version }: Release): string {
  return `${JSON.stringify({ name, version })}\n`
}

function temporaryFor(path: string): string {
  return `${path}.${randomUUID().slice(0, 8)}.new`
}

/** Written and on the disk: a rename that survives a power cut must not name an empty file. */
function writeThrough(path: string, content: string | Uint8Array, before: string): void {
  const { mode = OWNER_ALONE } = statSync(before, { throwIfNoEntry: false }) ?? {}
  writeFileSync(path, content, { flag: 'wx', flush: true, mode: mode & OWNER_ALONE })
}

function flushFolder(path: string): void {
  try {
    const folder = openSync(path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch {
    // Not every system flushes folders; the renames have happened.
  }
}
