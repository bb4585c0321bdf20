const LF = 0x0a
const CR = 0x0d

/**
 * Where a stream of events stands: twice the number of line ends since the last other byte (CR LF is one, and more than two say
 * nothing new), and one more right after a CR. A number, because it is written for every event of every stream.
 */
export type EventTail = number

/** Nothing of it has come yet. */
export const STREAM_START: EventTail = 4

/** Whether another event may be written here: at the beginning, or after an empty line. */
export function isBetweenEvents(tail: EventTail): boolean {
  return tail >= 4
}

/** Looks at the end of the chunk only: at most four bytes of it matter. */
export function tailAfter(tail: EventTail, chunk: Uint8Array): EventTail {
  let lineEnds = tail >> 1
  let wasCr = (tail & 1) === 1
  for (let at = Math.max(0, chunk.length - 4); at < chunk.length; at++) {
    const byte = chunk[at]
    if (byte === CR || (byte === LF && !wasCr)) lineEnds = Math.min(2, lineEnds + 1)
    else if (byte !== LF) lineEnds = 0
    wasCr = byte === CR
  }
  return lineEnds * 2 + (wasCr ? 1 : 0)
}
