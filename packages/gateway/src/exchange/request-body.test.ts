import { FieldList } from '@breakwater/http'
import type { BodyHandler } from '@breakwater/http'
import { expect, test } from 'vitest'

import { RequestBody } from './request-body.ts'

/** The body of a request as the engine hands it on, and what is made of it. */
function arriving(keepBytes = 0): { readonly body: RequestBody; readonly handler: () => BodyHandler } {
  let handler: BodyHandler | undefined
  const inbound = {
    readBody: (given: BodyHandler) => void (handler = given),
    pauseBody() {},
    resumeBody() {},
  }
  const body = new RequestBody(inbound, { trailers: () => new FieldList() }, keepBytes)
  return {
    body,
    handler: () => {
      if (handler === undefined) throw new Error('nobody reads')
      return handler
    },
  }
}

test('a body that is read whole and comes byte by byte takes the memory of its bytes', () => {
  const { body, handler } = arriving()
  let collected = new Uint8Array()
  body.collect((bytes) => (collected = Uint8Array.from(bytes)))
  const byte = Uint8Array.of(7)
  const before = process.memoryUsage()
  for (let at = 0; at < 300_000; at++) handler().onData(byte, 0)
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  expect(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers).toBeLessThan(8_000_000)
  handler().onEnd(undefined, 0)
  expect([collected.length, collected.every((one) => one === 7)]).toEqual([300_000, true])
})

test('what is sent again is what came, also when the view that it came in was used again', () => {
  const { body, handler } = arriving(100)
  const sent: string[] = []
  const sink = {
    sendData: (chunk: Uint8Array) => sent.push(Buffer.from(chunk).toString()) > 0,
    sendEnd: () => void sent.push('end'),
  }
  body.attach(sink)
  const view = Buffer.from('one ')
  handler().onData(view, 0)
  view.write('two ')
  handler().onData(view, 0)
  handler().onEnd(undefined, 0)
  body.detach()
  body.attach(sink)
  expect(sent).toEqual(['one ', 'two ', 'end', 'one two ', 'end'])
})
