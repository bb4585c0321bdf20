import type { BreakwaterError } from '@breakwater/core'
import { FieldList } from '@breakwater/http'
import type { ResponseHead } from '@breakwater/http'
import { errors } from '../../errors.ts'

/** JSON in UTF-8, the only encoding that it has between programs (RFC 8259 §8.1). */
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

/** What describes the bytes of the upstream, and so not those of the caller; also how long the caller may keep them. */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'digest',
  'etag',
  'expires',
  'last-modified',
  'repr-digest',
])

/** A usual way to tell how many rows there are, outside the answer. */
const COUNT_FIELD = 'x-total-count'

/** Ways to ask for a part, or only for what has changed: of an answer that nobody gets as it is, neither means anything. */
const OF_THE_WHOLE: readonly string[] = [
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
]

/** Has the upstream asked for all of it, in plain bytes. What must not be written over (`If-Match` of a PUT) stays. */
export function askForWhole(fields: FieldList, method: string): void {
  fields.put('accept-encoding', 'identity')
  fields.delete('range')
  fields.delete('if-range')
  if (method === 'GET' || method === 'HEAD') for (const name of OF_THE_WHOLE) fields.delete(name)
}

/** What is looked at before the body is: of an answer that comes, or of one that was kept. */
export type AnswerHead = Pick<ResponseHead, 'status' | 'fields' | 'body' | 'contentLength'>

/** Why nothing can be withheld from an answer, as far as its head tells; undefined when it can. */
export function whyUnreadable(head: AnswerHead, maxBytes: number): BreakwaterError | undefined {
  const { status, fields, contentLength } = head
  // Nothing was asked for that either could be the answer to.
  if (status === 206 || status === 304) return unreadable(`its status is ${status}`)
  if (status === 204 || (head.body === 'length' && contentLength === 0)) return undefined
  const encodings = fields.getAll('content-encoding')
  if (encodings.some((one) => one.trim().toLowerCase() !== 'identity')) return unreadable('it is encoded')
  const types = fields.getAll('content-type')
  if (types.length > 1 || types.some((one) => !JSON_TYPE.test(one.trim())))
    return unreadable('it is not JSON')
  return contentLength > maxBytes ? tooLong(maxBytes) : undefined
}

/** The fields that go with what is left of an answer: it belongs to one caller, and nobody keeps it. */
export function fieldsOfRest(fields: FieldList, hasRows: boolean): FieldList {
  const rest = new FieldList()
  for (const [name, value] of fields)
    if (!OF_THE_BYTES.has(name) && !(hasRows && name === COUNT_FIELD)) rest.flat.push(name, value)
  rest.put('cache-control', 'no-store')
  return rest
}

export function unreadable(why: string): BreakwaterError {
  return errors.BW_GATEWAY_ANSWER_UNREADABLE(`nothing can be withheld from the answer: ${why}`)
}

export function tooLong(maxBytes: number): BreakwaterError {
  return errors.BW_GATEWAY_ANSWER_TOO_LARGE(`the answer is longer than the ${maxBytes} bytes that are read`)
}
