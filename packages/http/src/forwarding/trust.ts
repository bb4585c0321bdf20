import { BlockList, isIP } from 'node:net'
import { errors } from '../errors.ts'

/** Addresses whose word about earlier hops is believed. */
export class TrustedProxies {
  readonly #list = new BlockList()
  readonly #empty: boolean
  #lastAddress = ''
  #lastVerdict = false

  /** @throws `BW_HTTP_OPTIONS_INVALID` listing every entry that is neither an address nor a CIDR block. */
  constructor(blocks: readonly string[]) {
    this.#empty = blocks.length === 0
    const wrong = blocks.filter((block) => !this.#add(block))
    if (wrong.length > 0) {
      throw errors.BW_HTTP_OPTIONS_INVALID(
        `trustedProxies are not addresses or CIDR blocks: ${wrong.join(', ')}`,
      )
    }
  }

  has(address: string): boolean {
    if (this.#empty) return false
    if (address !== this.#lastAddress) {
      const plain = plainAddress(address)
      const family = isIP(plain)
      this.#lastVerdict = family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
      this.#lastAddress = address
    }
    return this.#lastVerdict
  }

  #add(block: string): boolean {
    const [address = '', prefix, ...more] = block.split('/')
    const family = isIP(address)
    if (family === 0 || more.length > 0) return false
    const type = family === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) {
      this.#list.addAddress(address, type)
      return true
    }
    const bits = Number(prefix)
    if (!/^\d{1,3}$/.test(prefix) || bits > (family === 6 ? 128 : 32)) return false
    this.#list.addSubnet(address, bits, type)
    return true
  }
}

/** An IPv4 address that arrived over an IPv6 socket, as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
