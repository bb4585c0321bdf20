import { longOf, type Long } from './long.ts'

/** A decimal with four fractional digits, held as a 64-bit integer of ten-thousandths. */
export class Decimal {
  readonly kind = 'decimal' as const
  readonly scaled: Long

  constructor(scaled: Long) {
    this.scaled = scaled
  }

  get key(): string {
    return `decimal(${this.scaled})`
  }
}

const FORM = /^-?[0-9]+\.[0-9]{1,4}$/

/**
 * Cedar's `decimal("…")`: digits on both sides of the point, at most four behind it, inside 64 bits when scaled.
 * Undefined when the text is anything else.
 */
export function parseDecimal(text: string): Decimal | undefined {
  if (!FORM.test(text)) return undefined
  const point = text.indexOf('.')
  const scaled = longOf(BigInt(text.slice(0, point) + text.slice(point + 1).padEnd(4, '0')))
  return scaled === undefined ? undefined : new Decimal(scaled)
}
