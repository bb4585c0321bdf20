import { EntityUid } from './uid.ts'

/** Where identities are looked up. A request has its own on top of the store's, so that callers cannot fill memory. */
export interface UidSource {
  /** The identity object for this type and id: always the same one for the same name in this source. */
  uid(type: string, id: string): EntityUid
}

/** The table of identities that policies and stored entities share. */
export class UidTable implements UidSource {
  readonly #types = new Map<string, Map<string, EntityUid>>()
  #size = 0
  #added = 0
  #sweeps = 0

  /** Identities ever added. A throw-away identity looked up before may have a real one since. */
  get added(): number {
    return this.#added
  }

  /** Goes up when identities were dropped: references held outside the store must be looked up again. */
  get sweeps(): number {
    return this.#sweeps
  }

  get size(): number {
    return this.#size
  }

  find(type: string, id: string): EntityUid | undefined {
    return this.#types.get(type)?.get(id)
  }

  /** Adds the identity when it is new. For names from policies and stored entities only, never from requests. */
  uid(type: string, id: string): EntityUid {
    let ids = this.#types.get(type)
    if (ids === undefined) this.#types.set(type, (ids = new Map()))
    let uid = ids.get(id)
    if (uid === undefined) {
      ids.set(id, (uid = new EntityUid(type, id)))
      this.#size += 1
      this.#added += 1
    }
    return uid
  }

  /** Drops every identity for which `keep` is false. */
  sweep(keep: (uid: EntityUid) => boolean): void {
    this.#sweeps += 1
    for (const ids of this.#types.values()) {
      for (const [id, uid] of ids) if (!keep(uid) && ids.delete(id)) this.#size -= 1
    }
  }
}

/**
 * Identities of one request: those of the table where it knows them, throw-away ones otherwise. Two throw-away objects
 * may stand for one name; equality compares names, and the store knows neither.
 */
export class RequestUids implements UidSource {
  readonly table: UidTable

  constructor(table: UidTable) {
    this.table = table
  }

  uid(type: string, id: string): EntityUid {
    return this.table.find(type, id) ?? new EntityUid(type, id)
  }
}

/** Like `RequestUids`, with one object per name: for requests that bring entities of their own. */
export class OverlayUids implements UidSource {
  readonly #table: UidTable
  readonly #own = new UidTable()

  constructor(table: UidTable) {
    this.#table = table
  }

  uid(type: string, id: string): EntityUid {
    return this.#table.find(type, id) ?? this.#own.uid(type, id)
  }
}
