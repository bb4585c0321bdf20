import { randomFillSync } from 'node:crypto'

/** Drawn at once: asking the source of randomness costs far more than its bytes. */
const POOL_BYTES = 16_384
/** Turned into text at once. Small: an id that somebody keeps, such as a stream for hours, is a view into all of this text. */
const TEXT_BYTES = 512
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES
let digits = ''
let offset = 0

/** `bytes` (1 to 512) of cryptographic randomness as lower-case hex. Draws from a pool: about 20 ns, not a system call. */
export function randomHex(bytes: number): string {
  const length = 2 * bytes
  if (offset + length > digits.length) refill()
  offset += length
  return digits.slice(offset - length, offset)
}

function refill(): void {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  digits = pool.toString('hex', used, used + TEXT_BYTES)
  // What was given out is not kept.
  pool.fill(0, used, used + TEXT_BYTES)
  used += TEXT_BYTES
  offset = 0
}
