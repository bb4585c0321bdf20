import { reasonOf } from '../codec/serialize.ts'
import type { HttpError } from '../errors.ts'

/** The last answer of a connection: problem details (RFC 9457) that name the rule, and the close. */
export function refusalText(error: HttpError): string {
  const { status, fault } = error.spec
  const title = reasonOf(status)
  const detail = error.message.replaceAll('§', 'section ').replaceAll(/[^\x20-\x7e]/g, '?')
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code: error.code, fault })
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n`
  return `${head}connection: close\r\n\r\n${body}`
}
