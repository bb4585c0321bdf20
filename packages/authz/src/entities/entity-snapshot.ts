import type { EntityRecord } from './entity-record.ts'
import type { EntityUid } from './uid.ts'

/** The store as it was at one version. Costs nothing to take; each later change keeps the old data it replaces. */
export class EntitySnapshot {
  readonly version: number
  /** What has changed in the store since, as it was before. */
  readonly overlay: Map<EntityUid, EntityRecord | undefined> = new Map()
  readonly #release: () => void

  constructor(version: number, release: () => void) {
    this.version = version
    this.#release = release
  }

  /** Called by the store before it changes an entity. */
  keep(uid: EntityUid): void {
    if (!this.overlay.has(uid)) this.overlay.set(uid, uid.record)
  }

  /** Ends the view: the store stops keeping old data for it. */
  release(): void {
    this.#release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
