import type { Driver, Listener, Transport, TransportHandler } from '@breakwater/http'

import { isSecret } from './naive-backend.ts'
import { readNaively } from './naive-http.ts'
import type { NaiveRequest, Quirks } from './naive-http.ts'

/** What a relay does to a head on its way. */
export interface RelayHabits {
  /** Removes every field that Connection names, whatever it is. */
  readonly stripsNominated?: boolean
  /** Says `Content-Length: 0` for a chunked DELETE, and sends its body all the same (CVE-2026-29057). */
  readonly emptiesDelete?: boolean
}

/**
 * The same deployment without Breakwater: a proxy that finds out where a request ends as its quirks have it and passes the
 * bytes on untouched, for all clients over one connection, as pools of connections do. It guards what is secret.
 */
export class NaiveRelay {
  readonly #quirks: Quirks
  readonly #habits: RelayHabits
  readonly #waiting: { readonly client: RelayClient; readonly bytes: string }[] = []
  #listener: Listener | undefined
  #upstream: Transport | undefined
  #current: RelayClient | undefined
  #answers = ''

  private constructor(quirks: Quirks, habits: RelayHabits) {
    this.#quirks = quirks
    this.#habits = habits
  }

  static async open(
    driver: Driver,
    listen: { readonly host: string; readonly port: number },
    upstream: { readonly host: string; readonly port: number },
    options: { readonly quirks: Quirks; readonly habits?: RelayHabits },
  ): Promise<NaiveRelay> {
    const relay = new NaiveRelay(options.quirks, options.habits ?? {})
    relay.#listener = await driver.listen(listen, (transport) => new RelayClient(relay, transport))
    driver.connect(
      upstream,
      (transport) => {
        relay.#upstream = transport
        relay.#next()
        return {
          onBytes: (bytes) => relay.#onAnswer(Buffer.from(bytes).toString('latin1')),
          onDrain: () => {},
          onEnd: () => transport.end(),
          onClose: () => (relay.#upstream = undefined),
        }
      },
      () => {},
    )
    return relay
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  /** Every whole request in `text` is passed on; returns what is left. */
  take(client: RelayClient, text: string): string {
    let left = text
    for (;;) {
      const read = readNaively(left, this.#quirks)
      if (read === undefined) return left
      left = read.rest
      if (isSecret({ host: '', path: read.request.path }))
        client.give('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      else {
        this.#waiting.push({ client, bytes: this.#onTheWay(read.request) })
        this.#next()
      }
    }
  }

  #onTheWay({ head, body, method }: NaiveRequest): string {
    let changed = head
    const nominated = /^connection:(.*)$/im.exec(head)?.[1]?.split(',') ?? []
    if (this.#habits.stripsNominated === true)
      for (const name of nominated) changed = changed.replace(new RegExp(`^${name.trim()}:.*\r\n`, 'im'), '')
    if (this.#habits.emptiesDelete === true && method === 'DELETE')
      changed = changed.replace(/^transfer-encoding:.*$/im, 'Content-Length: 0')
    return changed + body
  }

  #next(): void {
    if (this.#current !== undefined || this.#upstream === undefined) return
    const first = this.#waiting.shift()
    if (first === undefined) return
    this.#current = first.client
    this.#upstream.write(first.bytes)
    this.#onAnswer('')
  }

  /** The next answer on the connection belongs to whoever waits for one. Breakwater is there so that this is never wrong. */
  #onAnswer(text: string): void {
    this.#answers += text
    const end = this.#answers.indexOf('\r\n\r\n')
    if (end < 0 || this.#current === undefined) return
    const length = Number(/content-length: (\d+)/i.exec(this.#answers.slice(0, end))?.[1] ?? 0)
    const whole = end + 4 + length
    if (this.#answers.length < whole) return
    const answer = this.#answers.slice(0, whole)
    this.#answers = this.#answers.slice(whole)
    const client = this.#current
    this.#current = undefined
    client.give(answer)
    this.#next()
  }
}

class RelayClient implements TransportHandler {
  readonly #relay: NaiveRelay
  readonly #transport: Transport
  #text = ''

  constructor(relay: NaiveRelay, transport: Transport) {
    this.#relay = relay
    this.#transport = transport
  }

  give(answer: string): void {
    this.#transport.write(answer)
  }

  onBytes(bytes: Uint8Array): void {
    this.#text = this.#relay.take(this, this.#text + Buffer.from(bytes).toString('latin1'))
  }

  onDrain(): void {}

  onEnd(): void {
    this.#transport.end()
  }

  onClose(): void {}
}
