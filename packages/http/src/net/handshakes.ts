import type { Socket } from 'node:net'

/** Handshakes under way, counted by client. */
export class Handshakes {
  readonly #byAddress = new Map<string, number>()
  readonly #open = new Set<string>()

  /** How many this address has under way. */
  of(remoteAddress: string): number {
    return this.#byAddress.get(remoteAddress) ?? 0
  }

  /** Counts one, until `end` or until its socket closes. */
  begin(socket: Socket): void {
    const { remoteAddress = '' } = socket
    const key = keyOf(socket)
    this.#open.add(key)
    this.#byAddress.set(remoteAddress, this.of(remoteAddress) + 1)
    socket.once('close', () => this.#end(key, remoteAddress))
  }

  /** It is over. Takes the socket, or that of TLS over it. */
  end(socket: Socket): void {
    this.#end(keyOf(socket), socket.remoteAddress ?? '')
  }

  #end(key: string, remoteAddress: string): void {
    if (!this.#open.delete(key)) return
    const left = this.of(remoteAddress) - 1
    if (left > 0) this.#byAddress.set(remoteAddress, left)
    else this.#byAddress.delete(remoteAddress)
  }
}

function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
