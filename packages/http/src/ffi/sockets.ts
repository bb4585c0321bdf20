import { isIPv6 } from 'node:net'
import { SocketAddress } from './address.ts'
import {
  EINPROGRESS,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOCK_FLAGS,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  SO_LINGER,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_NODELAY,
  systemError,
} from './libc.ts'
import type { Libc, Memory } from './libc.ts'

/** A connection that has been accepted. @internal */
export interface Accepted {
  readonly descriptor: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/** TCP sockets by descriptor, none of them blocking. Who gets a descriptor closes it. @internal */
export class Sockets {
  readonly #libc: Libc
  readonly #address: SocketAddress
  readonly #option: Memory
  readonly #optionLengthAt: bigint

  constructor(libc: Libc) {
    this.#libc = libc
    this.#address = new SocketAddress(libc)
    this.#option = libc.allocate(16)
    this.#optionLengthAt = this.#option.pointer + 8n
  }

  /** Returns the descriptor and the port. @throws what the system says. */
  listen(
    host: string,
    port: number,
    backlog: number,
    reusePort: boolean,
  ): { descriptor: number; port: number } {
    const libc = this.#libc
    const address = this.#address
    const descriptor = this.#open(host, port)
    this.#set(descriptor, SOL_SOCKET, SO_REUSEADDR)
    // `::` takes clients of IPv4 in as well, whatever the machine's default is: as libuv does.
    if (isIPv6(host)) this.#set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    if (reusePort) this.#set(descriptor, SOL_SOCKET, SO_REUSEPORT)
    this.#must(descriptor, libc.bind(descriptor, address.pointer, address.length), 'bind')
    this.#must(descriptor, libc.listen(descriptor, backlog), 'listen')
    address.makeRoom()
    this.#must(
      descriptor,
      libc.getsockname(descriptor, address.pointer, address.lengthPointer),
      'getsockname',
    )
    return { descriptor, port: address.port }
  }

  /** The next connection of a listening socket, or the errno of why there is none. */
  accept(listening: number): Accepted | number {
    const libc = this.#libc
    const address = this.#address
    address.makeRoom()
    const descriptor = libc.accept4(listening, address.pointer, address.lengthPointer, SOCK_FLAGS)
    if (descriptor < 0) return libc.errno()
    this.#set(descriptor, IPPROTO_TCP, TCP_NODELAY)
    return { descriptor, remoteAddress: address.host, remotePort: address.port }
  }

  /** Begins to connect to an IP address; when it can be written to, `errorOf` tells how it went. @throws what the system says. */
  connect(host: string, port: number): number {
    const libc = this.#libc
    const descriptor = this.#open(host, port)
    this.#set(descriptor, IPPROTO_TCP, TCP_NODELAY)
    if (libc.connect(descriptor, this.#address.pointer, this.#address.length) === 0) return descriptor
    const errno = libc.errno()
    if (errno === EINPROGRESS) return descriptor
    libc.close(descriptor)
    throw systemError(errno, 'connect')
  }

  /** What went wrong on a socket since it was last asked; 0 for nothing. */
  errorOf(descriptor: number): number {
    const { bytes, pointer } = this.#option
    bytes.writeInt32LE(4, 8)
    this.#libc.getsockopt(descriptor, SOL_SOCKET, SO_ERROR, pointer, this.#optionLengthAt)
    return bytes.readInt32LE(0)
  }

  /** Its close will be a reset, and what the other side has not got is lost. */
  resetOnClose(descriptor: number): void {
    this.#set(descriptor, SOL_SOCKET, SO_LINGER, 1, 8)
  }

  #open(host: string, port: number): number {
    const descriptor = this.#libc.socket(this.#address.set(host, port), SOCK_STREAM | SOCK_FLAGS, 0)
    if (descriptor < 0) throw systemError(this.#libc.errno(), 'socket')
    return descriptor
  }

  /** An `int`, or a struct that begins with it and is zero otherwise. */
  #set(descriptor: number, level: number, option: number, value: number = 1, bytes: number = 4): void {
    this.#option.bytes.fill(0)
    this.#option.bytes.writeInt32LE(value, 0)
    this.#libc.setsockopt(descriptor, level, option, this.#option.pointer, bytes)
  }

  #must(descriptor: number, result: number, syscall: string): void {
    if (result === 0) return
    const errno = this.#libc.errno()
    this.#libc.close(descriptor)
    throw systemError(errno, syscall)
  }
}
