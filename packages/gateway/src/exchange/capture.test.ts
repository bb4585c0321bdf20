import { FieldList } from '@breakwater/http'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Capture } from './capture.ts'

const capture = (maxBytes: number): Capture => new Capture(200, new FieldList(), maxBytes)

test('an answer is kept as it came, however it was cut, unless it is longer than may be kept', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
  fc.assert(
    fc.property(chunks, fc.integer({ min: 0, max: 2000 }), (pieces, maxBytes) => {
      const kept = capture(maxBytes)
      for (const piece of pieces) {
        const view = Uint8Array.from(piece)
        kept.add(view)
        view.fill(0) // it is used again
      }
      const whole = Buffer.concat(pieces)
      const isTooLong = whole.length > maxBytes
      expect(kept.isTooLong).toBe(isTooLong)
      expect(kept.complete()?.body).toEqual(isTooLong ? undefined : whole)
    }),
  )
})

test('an answer that comes byte by byte takes the memory of its bytes', () => {
  const kept = capture(1_000_000)
  const byte = Uint8Array.of(1)
  const before = process.memoryUsage()
  for (let at = 0; at < 300_000; at++) kept.add(byte)
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  expect(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers).toBeLessThan(8_000_000)
  const body = kept.complete()?.body
  expect([body?.length, body?.buffer.byteLength]).toEqual([300_000, 300_000])
})
