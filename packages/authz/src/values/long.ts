/**
 * Cedar's Long is a signed 64-bit integer with checked arithmetic. A Long is held as a JavaScript number while it is a
 * safe integer and as a bigint beyond: one spelling per value, so `===` is equality, and `<` compares across the two.
 */
export type Long = number | bigint

export const LONG_MIN: bigint = -(2n ** 63n)
export const LONG_MAX: bigint = 2n ** 63n - 1n

/** The one spelling of an integer, or undefined when it does not fit into 64 bits. */
export function longOf(value: bigint): Long | undefined {
  if (value >= -9007199254740991n && value <= 9007199254740991n) return Number(value)
  return value >= LONG_MIN && value <= LONG_MAX ? value : undefined
}

/** True for both spellings of a Long. */
export function isLong(value: unknown): value is Long {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Sum, or undefined on overflow. */
export function addLongs(left: Long, right: Long): Long | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    // Two safe integers sum to less than 2^54 in magnitude; a safe result is exact.
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return longOf(BigInt(left) + BigInt(right))
}

/** Difference, or undefined on overflow. */
export function subtractLongs(left: Long, right: Long): Long | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right
    if (Number.isSafeInteger(difference)) return difference
  }
  return longOf(BigInt(left) - BigInt(right))
}

/** Product, or undefined on overflow. */
export function multiplyLongs(left: Long, right: Long): Long | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    // A double that is a safe integer after rounding was not rounded: the true product differs by less than 1.
    const product = left * right
    if (Number.isSafeInteger(product)) return product
  }
  return longOf(BigInt(left) * BigInt(right))
}

/** Negation, or undefined for the smallest Long, whose negation does not exist. */
export function negateLong(value: Long): Long | undefined {
  return subtractLongs(0, value)
}

/** Reads decimal digits with an optional leading minus; undefined when they do not fit into 64 bits. */
export function parseLong(digits: string): Long | undefined {
  return longOf(BigInt(digits))
}
