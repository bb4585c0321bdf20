import { AuthzError } from '@breakwater/authz'
import type { AuthzRequest } from '@breakwater/authz'
import { fieldsOfMask, readDocument, withoutFields } from '@breakwater/authz/guard'
import type { JsonDocument } from '@breakwater/authz/guard'
import type { RouteConfig } from '@breakwater/contract'
import type { BreakwaterError } from '@breakwater/core'
import { isBreakwaterError } from '@breakwater/core'
import { errors } from '../../errors.ts'
import type { Authorization } from '../authorization.ts'
import { unreadable } from './plain-answer.ts'
import { RowFilter } from './row-filter.ts'
import type { RowTally } from './row-tally.ts'

/** What is left of the bytes of an answer. */
export interface Rest {
  readonly body: Uint8Array
  /** What was decided about rows; undefined when nothing was asked. */
  readonly tally: RowTally | undefined
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** What a route withholds from its answers by itself. */
export class AnswerRules {
  readonly authorization: Authorization
  readonly maxAnswerBytes: number
  readonly #rows: RowFilter | undefined

  constructor(
    authorization: Authorization,
    { name }: RouteConfig,
    { maxAnswerBytes, rows }: NonNullable<NonNullable<RouteConfig['authorize']>['answer']>,
  ) {
    this.authorization = authorization
    this.maxAnswerBytes = maxAnswerBytes
    this.#rows = rows === undefined ? undefined : new RowFilter(name, rows)
  }

  get hasRows(): boolean {
    return this.#rows !== undefined
  }

  /**
   * What of an answer the caller may have, or why none of it can be given. `authorization` decides about its rows: the policies may be
   * others than when the request came. Never throws.
   */
  restOf(
    bytes: Uint8Array,
    isSuccess: boolean,
    asked: AuthzRequest,
    mask: string | undefined,
    authorization: Authorization,
  ): Rest | BreakwaterError {
    if (bytes.length === 0) return { body: bytes, tally: undefined }
    try {
      const document = read(bytes)
      const { document: left, tally } = this.#rows?.filter(document, asked, isSuccess, authorization) ?? {
        document,
        tally: undefined,
      }
      const masked = mask === undefined ? left : withoutFields(left, fieldsOfMask(mask))
      return { body: Buffer.from(JSON.stringify(masked)), tally }
    } catch (cause) {
      if (isBreakwaterError(cause) && !(cause instanceof AuthzError)) return cause
      authorization.failed(cause)
      return errors.BW_GATEWAY_AUTHORIZATION_FAILED('no decision can be made at the moment', { cause })
    }
  }
}

/** @throws `BW_GATEWAY_ANSWER_UNREADABLE`, which quotes nothing of the answer. */
function read(bytes: Uint8Array): JsonDocument {
  try {
    return readDocument(UTF8.decode(bytes))
  } catch (cause) {
    const offset = cause instanceof AuthzError ? cause.details['offset'] : undefined
    const where = typeof offset === 'number' ? ` (at ${offset})` : ''
    throw unreadable(`it is no JSON that everybody reads alike${where}`)
  }
}
