import type { IncomingMessage, ServerResponse } from 'node:http'
import { isBreakwaterError } from '@breakwater/core'
import { z } from 'zod'
import { declaredFields } from './body-fields.ts'
import { errors } from './errors.ts'
import type { Answer } from './service.ts'

const MAX_BODY_BYTES = 64 * 1024

/** Reads a JSON body of at most 64 KiB and checks it against its schema. */
export async function readBody<Body>(request: IncomingMessage, schema: z.ZodType<Body>): Promise<Body> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw errors.SHOP_BODY_NOT_JSON(`content-type is "${type.slice(0, 100)}", expected application/json`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early must not destroy the connection: the answer still has to go out on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const part = chunk as Buffer
    bytes += part.length
    if (bytes > MAX_BODY_BYTES)
      throw errors.SHOP_BODY_TOO_LARGE(`the body has more than ${MAX_BODY_BYTES} bytes`)
    chunks.push(part)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw errors.SHOP_BODY_NOT_JSON('the body is not JSON', { cause: error })
  }
  const parsed = schema.safeParse(declaredFields(value, schema))
  if (parsed.success) return parsed.data
  throw errors.SHOP_BODY_INVALID(z.prettifyError(parsed.error), {
    details: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  })
}

/** Sends JSON. Does nothing when the caller has gone away. */
export function send(response: ServerResponse, answer: Answer, mayKeepAlive: boolean): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(answer.body)
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    ...answer.headers,
    'content-length': Buffer.byteLength(text),
    ...(mayKeepAlive ? undefined : { connection: 'close' }),
  })
  response.end(text)
}

/** What went wrong as problem+json (RFC 9457). Anything not thrown on purpose is a 500 that tells nothing of the inside. */
export function problemOf(error: unknown, traceId: string): Answer {
  const known = isBreakwaterError(error) ? error : errors.SHOP_INTERNAL('the service failed unexpectedly')
  const { spec, code, message, details } = known
  return {
    status: spec.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(spec.status === 401 && { 'www-authenticate': 'Bearer' }),
    },
    body: {
      type: 'about:blank',
      title: message,
      status: spec.status,
      code,
      fault: spec.fault,
      fix: spec.fix,
      traceId,
      ...details,
    },
  }
}
