import type { ServerExchange } from '@breakwater/http'
import { problemBody, problemFields } from '../answer/problem.ts'
import type { Refusal } from '../answer/refusal.ts'
import type { Identity } from './identity.ts'

/** Answers a request that no route takes. Returns the bytes of the answer's body. */
export function answerUnrouted(inbound: ServerExchange, identity: Identity, refusal: Refusal): number {
  const fields = problemFields(refusal)
  fields.set('x-request-id', identity.requestId)
  const body = Buffer.from(problemBody(refusal, identity.traceId))
  inbound.sendHead(refusal.spec.status, fields, { kind: 'length', bytes: body.length })
  inbound.sendData(body)
  inbound.sendEnd()
  return body.length
}
