import { isIPv6 } from 'node:net'
import { AF_INET, AF_INET6, systemError } from './libc.ts'
import type { Libc, Memory } from './libc.ts'

/** Room for any address; behind it the length that the system is told, and the text of an address. */
const ADDRESS_BYTES = 32
const TEXT_AT = 64
const TEXT_BYTES = 64

/** An IP address with its port, as system calls take and give it: a buffer for one at a time. @internal */
export class SocketAddress {
  readonly #libc: Libc
  readonly #memory: Memory
  /** Where its length stands, for calls that fill it in. */
  readonly lengthPointer: bigint
  readonly #textPointer: bigint

  constructor(libc: Libc) {
    this.#libc = libc
    this.#memory = libc.allocate(TEXT_AT + TEXT_BYTES)
    this.lengthPointer = this.#memory.pointer + BigInt(ADDRESS_BYTES)
    this.#textPointer = this.#memory.pointer + BigInt(TEXT_AT)
  }

  get pointer(): bigint {
    return this.#memory.pointer
  }

  get length(): number {
    return this.#memory.bytes.readUInt32LE(ADDRESS_BYTES)
  }

  get port(): number {
    return this.#memory.bytes.readUInt16BE(2)
  }

  /** The address as text, as Node writes it. */
  get host(): string {
    const { bytes, pointer } = this.#memory
    if (bytes.readUInt16LE(0) === AF_INET) return `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`
    if (this.#libc.uv_ip_name(pointer, this.#textPointer, TEXT_BYTES) !== 0) return ''
    return bytes.toString('latin1', TEXT_AT, bytes.indexOf(0, TEXT_AT))
  }

  /** Before a call that fills it in. */
  makeRoom(): void {
    this.#memory.bytes.writeUInt32LE(ADDRESS_BYTES, ADDRESS_BYTES)
  }

  /** Returns its family. @throws when the text is not an IP address. */
  set(host: string, port: number): number {
    const isSix = isIPv6(host)
    const convert = isSix ? this.#libc.uv_ip6_addr : this.#libc.uv_ip4_addr
    const failure = convert(host, port, this.#memory.pointer)
    if (failure !== 0) throw systemError(-failure, 'uv_ip_addr')
    this.#memory.bytes.writeUInt32LE(isSix ? 28 : 16, ADDRESS_BYTES)
    return isSix ? AF_INET6 : AF_INET
  }
}
