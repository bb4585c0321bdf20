import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sectionEnd } from './head-buffer.ts'

test('the end of a section is found where the platform finds it, from any offset', () => {
  const piece = fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', 'a', 'a: b\r\n', 'x'.repeat(3000))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(20), (pieces, start) => {
      const bytes = Buffer.from(pieces.join(''))
      expect(sectionEnd(bytes, start)).toBe(bytes.indexOf('\r\n\r\n', start))
    }),
    { numRuns: 2000 },
  )
})
