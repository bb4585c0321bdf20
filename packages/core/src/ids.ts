import { randomFillSync } from 'node:crypto'

/** Small: an id that somebody keeps is a view into the text of its whole pool. */
const POOL_BYTES = 2048
const pool = Buffer.alloc(POOL_BYTES)
let digits = ''
let offset = 2 * POOL_BYTES

/** `bytes` (1 to 2048) of cryptographic randomness as lower-case hex. Draws from a pool: about 20 ns, not a system call. */
export function randomHex(bytes: number): string {
  const length = 2 * bytes
  if (offset + length > digits.length) {
    randomFillSync(pool)
    digits = pool.toString('hex')
    offset = 0
  }
  offset += length
  return digits.slice(offset - length, offset)
}
