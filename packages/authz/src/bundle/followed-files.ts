import type { KeyObject } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Authorizer } from '../engine/authorizer.ts'
import { AuthzError } from '../errors.ts'
import { BundleFile } from './bundle-file.ts'
import { BundleHolder } from './holder.ts'
import { openPolicies } from './open-policies.ts'
import { readPolicyFolder } from './policy-folder.ts'

/** Where policies come from: a folder, or the file of a signed bundle. */
export type FollowedFiles =
  | { readonly folder: string }
  | {
      readonly bundle: string
      /** Name of the bundles taken. */
      readonly name: string
      /** Public Ed25519 keys. Two while one is being replaced. */
      readonly trustedKeys: readonly KeyObject[]
    }

interface Source {
  /** Changes whenever the files do. Undefined where that cannot be told: then they have to be read. */
  stamp(nowMs: number): string | undefined
  /** The policies as the files are now; the same authorizer when they say what they said. Throws what is wrong with them. */
  open(nowMs: number): Authorizer
  /** When a bundle was signed. */
  readonly signedAtMs?: number | undefined
}

export function sourceOf(files: FollowedFiles, maxAgeMs: number): Source {
  return 'folder' in files ? new FolderSource(files.folder) : new BundleSource(files, maxAgeMs)
}

class FolderSource implements Source {
  readonly #folder: string
  #text: string | undefined
  #authorizer: Authorizer | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  stamp(nowMs: number): string | undefined {
    try {
      const names = readdirSync(this.#folder).filter((name) => /\.(?:cedar|cedarschema|json)$/.test(name))
      return stampOf(
        names.map((name) => join(this.#folder, name)),
        nowMs,
      )
    } catch {
      return undefined
    }
  }

  open(): Authorizer {
    const content = readPolicyFolder(this.#folder)
    const text = JSON.stringify(content)
    if (this.#authorizer === undefined || text !== this.#text)
      this.#authorizer = openPolicies(content).authorizer
    this.#text = text
    return this.#authorizer
  }
}

class BundleSource implements Source {
  readonly #file: BundleFile
  readonly #holder: BundleHolder

  constructor(
    { bundle, name, trustedKeys }: Extract<FollowedFiles, { readonly bundle: string }>,
    maxAgeMs: number,
  ) {
    this.#file = new BundleFile(bundle)
    this.#holder = new BundleHolder({ name, trustedKeys, maxAgeMs, minVersion: this.#file.minVersion(name) })
  }

  get signedAtMs(): number | undefined {
    return this.#holder.manifest?.issuedAtMs
  }

  stamp(nowMs: number): string | undefined {
    try {
      return stampOf([this.#file.path], nowMs)
    } catch {
      return undefined
    }
  }

  open(nowMs: number): Authorizer {
    const event = this.#holder.offer(readFileSync(this.#file.path), nowMs, (_opened, release) =>
      this.#file.requireNewest(release),
    )
    if (event.kind === 'refused') throw event.error
    const { authorizer, manifest } = this.#holder
    if (authorizer === undefined || manifest === undefined)
      throw new AuthzError('BW_AUTHZ_BUNDLE_MISSING', 'no bundle has been accepted yet')
    this.#file.keep(manifest)
    return authorizer
  }
}

/** Two changes within this time may leave the same mark on a file: system clocks tick coarsely. */
const TICK_MS = 50

function stampOf(paths: readonly string[], nowMs: number): string | undefined {
  let newestMs = 0
  const marks = paths.map((path) => {
    const { ctimeNs, ino, size, ctimeMs } = statSync(path, { bigint: true })
    newestMs = Math.max(newestMs, Number(ctimeMs))
    return `${path} ${ino} ${size} ${ctimeNs}`
  })
  return Math.abs(nowMs - newestMs) < TICK_MS ? undefined : marks.join('\n')
}
