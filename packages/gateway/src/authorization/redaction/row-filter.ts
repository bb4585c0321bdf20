import type { AuthzRequest } from '@breakwater/authz'
import { RowReader, fieldsOfMask, isDocumentObject, valueIn, withoutFields } from '@breakwater/authz/guard'
import type { JsonDocument } from '@breakwater/authz/guard'
import { KnownUid } from '@breakwater/authz/operate'
import type { RouteConfig } from '@breakwater/contract'
import { errors } from '../../errors.ts'
import type { Authorization } from '../authorization.ts'
import { ACTION_TYPE } from '../required-routes.ts'
import { unreadable } from './plain-answer.ts'
import { RowTally } from './row-tally.ts'

type AnswerConfig = NonNullable<NonNullable<RouteConfig['authorize']>['answer']>
export type RowsConfig = NonNullable<AnswerConfig['rows']>

/** What is left of an answer, and what was decided about its rows. */
export interface Filtered {
  readonly document: JsonDocument
  /** Undefined when nothing was asked. */
  readonly tally: RowTally | undefined
}

/** Leaves out of a list what the caller may not see (redaction). What the store holds is decided on as the store has it. */
export class RowFilter {
  readonly #route: string
  readonly #rows: RowsConfig
  readonly #action: KnownUid
  #reader: RowReader | undefined
  #schema: object | undefined

  constructor(route: string, rows: RowsConfig) {
    this.#route = route
    this.#rows = rows
    this.#action = new KnownUid(ACTION_TYPE, rows.action)
  }

  /**
   * Asks `authorization` about each row what the route asked about the list. `mustBeThere`: an answer without the list is refused.
   *
   * @throws `BW_GATEWAY_ANSWER_UNREADABLE` when there is something else where the list should be;
   *   `BW_GATEWAY_AUTHORIZATION_FAILED` when no decisions can be made.
   */
  filter(
    document: JsonDocument,
    asked: AuthzRequest,
    mustBeThere: boolean,
    authorization: Authorization,
  ): Filtered {
    const { list: place, count } = this.#rows
    const list = valueIn(document, place)
    if (list === null || (list === undefined && !mustBeThere)) return { document, tally: undefined }
    if (!Array.isArray(list)) return this.#misplaced(document, mustBeThere)
    const tally = new RowTally({ ...asked, action: this.#action })
    const kept = list.flatMap((row: JsonDocument) => this.#visible(row, tally, authorization))
    const filtered = replaced(document, place, kept)
    const counted =
      count === undefined || valueIn(filtered, count) === undefined
        ? filtered
        : replaced(filtered, count, kept.length)
    return { document: counted, tally: tally.isEmpty ? undefined : tally }
  }

  #misplaced(document: JsonDocument, mustBeThere: boolean): Filtered {
    // An answer that tells of an error may have any form; where a list is expected of it, that is all that is withheld.
    if (!mustBeThere && this.#rows.list.length === 0) return { document, tally: undefined }
    throw unreadable(`there is no list at ${this.#rows.list.join('.') || '$'}`)
  }

  /** The row, as far as it may be seen: a list of one or none. */
  #visible(row: JsonDocument, tally: RowTally, authorization: Authorization): readonly JsonDocument[] {
    const store = authorization.policies?.store
    const reader = this.#readerFor(store?.schema)
    const id = reader.idOf(row)
    if (!isDocumentObject(row) || id === undefined) return tally.unreadable()
    const { type } = this.#rows
    const isKnown = store?.has(type, id) === true
    const entity = isKnown ? undefined : reader.entity(row, id)
    if (!isKnown && entity === undefined) return tally.unreadable()
    const decision = authorization.decide({
      ...tally.request,
      resource: { type, id },
      ...(entity !== undefined && { entities: [entity] }),
    })
    const { failure, obligations } = decision
    if (failure !== undefined) {
      // What is wrong with us is not to look like an empty list.
      if (failure.spec.fault === 'breakwater' || failure.spec.status === 503) throw failed(failure)
      return tally.unreadable()
    }
    const isUnknown = obligations.some(({ name }) => name !== 'mask' && name !== 'alarm')
    if (decision.decision !== 'allow' || isUnknown) return tally.dropped(decision)
    let visible: JsonDocument = row
    for (const { name, value } of obligations) {
      if (name === 'mask') visible = withoutFields(visible, fieldsOfMask(value))
      else authorization.alarm(value, this.#route)
    }
    tally.kept(id, decision)
    return [visible]
  }

  #readerFor(schema: ConstructorParameters<typeof RowReader>[0] | undefined): RowReader {
    if (schema === undefined) throw failed('there is no schema to read rows by')
    if (this.#reader === undefined || this.#schema !== schema) {
      this.#reader = new RowReader(schema, this.#rows)
      this.#schema = schema
    }
    return this.#reader
  }
}

function failed(cause: unknown): Error {
  return errors.BW_GATEWAY_AUTHORIZATION_FAILED('no decision can be made at the moment', { cause })
}

/** The document with another value at a place where there is one. */
function replaced(document: JsonDocument, place: readonly string[], value: JsonDocument): JsonDocument {
  const [name, ...rest] = place
  if (name === undefined) return value
  if (!isDocumentObject(document)) return document
  const entries = Object.entries(document).map(([key, inner]): [string, JsonDocument] => [
    key,
    key === name ? replaced(inner ?? null, rest, value) : (inner ?? null),
  ])
  return Object.fromEntries(entries)
}
