/** An IPv4 or IPv6 address with a prefix length; a bare address has the full prefix. */
export class IpAddress {
  readonly kind = 'ipaddr' as const
  readonly bits: 32 | 128
  /** The address as it was written: `10.0.0.7/8` is not equal to `10.0.0.0/8`. */
  readonly address: bigint
  readonly prefix: number
  readonly #first: bigint
  readonly #last: bigint

  constructor(bits: 32 | 128, address: bigint, prefix: number) {
    this.bits = bits
    this.address = address
    this.prefix = prefix
    const host = (1n << BigInt(bits - prefix)) - 1n
    this.#last = address | host
    this.#first = this.#last ^ host
  }

  get key(): string {
    return `ip${this.bits}(${this.address}/${this.prefix})`
  }

  isIpv4(): boolean {
    return this.bits === 32
  }

  isLoopback(): boolean {
    return this.bits === 32
      ? this.address >> 24n === 127n && this.prefix >= 8
      : this.address === 1n && this.prefix === 128
  }

  isMulticast(): boolean {
    return this.bits === 32
      ? this.address >> 28n === 14n && this.prefix >= 4
      : this.address >> 120n === 255n && this.prefix >= 8
  }

  /** Whether every address of this range lies in `range`. Ranges of the other family never match. */
  isInRange(range: IpAddress): boolean {
    return this.bits === range.bits && this.#first >= range.#first && this.#last <= range.#last
  }
}

const MAX_LENGTH = 43

/** Cedar's `ip("…")`. Undefined for what it refuses: leading zeros, dotted IPv4 inside IPv6, zones, odd prefixes. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const slash = text.indexOf('/')
  const host = slash < 0 ? text : text.slice(0, slash)
  const bits = host.includes(':') ? 128 : 32
  const address = bits === 32 ? parseIpv4(host) : parseIpv6(host)
  const prefix = slash < 0 ? bits : parsePrefix(text.slice(slash + 1), bits)
  return address === undefined || prefix === undefined ? undefined : new IpAddress(bits, address, prefix)
}

function parsePrefix(text: string, bits: 32 | 128): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return undefined
  const prefix = Number(text)
  return prefix <= bits ? prefix : undefined
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let address = 0n
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined
    address = (address << 8n) | BigInt(part)
  }
  return address
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  // `::` stands for at least one group; without it all eight must be there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  let address = 0n
  for (const group of [...head, ...Array<string>(missing).fill('0'), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
    address = (address << 16n) | BigInt(`0x${group}`)
  }
  return address
}
