import { randomHex } from '@breakwater/core'
import { reasonOf } from '../codec/serialize.ts'
import type { HttpError } from '../errors.ts'

/** A new id for a refusal: what was refused cannot be asked for the one it came with. */
export function refusalId(): string {
  return randomHex(16)
}

/** The last answer of a connection: problem details (RFC 9457) that name the rule, and the close. */
export function refusalText(error: HttpError, traceId: string): string {
  const { status, fault } = error.spec
  const title = reasonOf(status)
  const detail = error.message.replaceAll('§', 'section ').replaceAll(/[^\x20-\x7e]/g, '?')
  const body = JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail,
    code: error.code,
    fault,
    traceId,
  })
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n`
  return `${head}x-request-id: ${traceId}\r\nconnection: close\r\n\r\n${body}`
}
