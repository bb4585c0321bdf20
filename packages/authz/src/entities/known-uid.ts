import { badData, readUid } from './read-value.ts'
import type { EntityUid } from './uid.ts'
import type { RequestUids, UidTable } from './uid-table.ts'

/**
 * An identity that is asked about again and again. It stands wherever `{type, id}` may, and whatever reads it as an object sees
 * just that; a store looks its name up once, and again only when identities were added since.
 */
export class KnownUid {
  readonly type: string
  readonly id: string
  #found: EntityUid | undefined
  #table: UidTable | undefined
  #added = -1
  #text: string | undefined

  constructor(type: string, id: string) {
    this.type = type
    this.id = id
  }

  /**
   * The identity behind it in a table; undefined when `input` is no such object.
   *
   * @throws `BW_AUTHZ_DATA_INVALID` as for the same name in an ordinary object.
   */
  static in(uids: RequestUids, input: unknown, where: string): EntityUid | undefined {
    if (!(input instanceof KnownUid)) return undefined
    const found = input.#found
    // An identity that was dropped and came back is a new one, and was added.
    const { table } = uids
    const isSame = found !== undefined && input.#table === table && input.#added === table.added
    return isSame ? found : input.#lookUp(uids, where)
  }

  /** What `write` makes of it, made once. */
  static text(uid: KnownUid, write: (uid: KnownUid) => string): string {
    return (uid.#text ??= write(uid))
  }

  #lookUp(uids: RequestUids, where: string): EntityUid {
    const { table } = uids
    if (typeof this.type !== 'string' || typeof this.id !== 'string')
      throw badData(where, 'expected {"type": …, "id": …}')
    const found = readUid(this.type, this.id, uids, where)
    this.#found = found
    this.#table = table
    this.#added = table.added
    return found
  }
}
