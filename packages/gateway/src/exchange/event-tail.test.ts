import { createRandom } from '@breakwater/core'
import { expect, test } from 'vitest'
import { STREAM_START, isBetweenEvents, tailAfter } from './event-tail.ts'

/** By the letter: CR LF, LF and CR each end a line, and an empty line ends an event (HTML, server-sent events §9.2.6). */
function standsBetween(text: string): boolean {
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
  return lines.endsWith('\n\n') || lines.replaceAll('\n', '') === ''
}

test.each([1, 2, 3, 4, 5])(
  'a stream that comes in any pieces stands where its text does (seed %i)',
  (seed) => {
    const random = createRandom(seed)
    for (let stream = 0; stream < 400; stream++) {
      let text = ''
      let tail = STREAM_START
      for (let piece = 0; piece < 8; piece++) {
        const letters = Array.from({ length: 1 + Math.floor(random() * 9) }, () =>
          '\r\n\n\rx'.at(random() * 5),
        )
        text += letters.join('')
        tail = tailAfter(tail, Buffer.from(letters.join('')))
        expect([text, isBetweenEvents(tail)]).toEqual([text, standsBetween(text)])
      }
    }
  },
)
