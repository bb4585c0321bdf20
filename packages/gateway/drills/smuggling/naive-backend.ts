import type { Driver, Listener, Transport, TransportHandler } from '@breakwater/http'

import { readNaively } from './naive-http.ts'
import type { NaiveRequest, Quirks } from './naive-http.ts'

/** Only reached by what was smuggled: no front door leads there. */
export function isSecret({ host, path }: Pick<NaiveRequest, 'host' | 'path'>): boolean {
  return path.startsWith('/admin') || path.startsWith('/shop/internal/') || host === 'internal'
}

/** A server of its own making that reads requests in its own way, and tells each client what it has understood. */
export class NaiveBackend {
  /** `GET host /path`, in order. */
  readonly seen: string[] = []
  /** Of these, those for what no front door leads to. */
  secrets: number = 0
  readonly quirks: Quirks
  #listener: Listener | undefined

  private constructor(quirks: Quirks) {
    this.quirks = quirks
  }

  static async open(
    driver: Driver,
    listen: { readonly host: string; readonly port: number },
    quirks: Quirks,
  ): Promise<NaiveBackend> {
    const backend = new NaiveBackend(quirks)
    backend.#listener = await driver.listen(listen, (transport) => new BackendConnection(backend, transport))
    return backend
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }
}

class BackendConnection implements TransportHandler {
  readonly #backend: NaiveBackend
  readonly #transport: Transport
  #text = ''

  constructor(backend: NaiveBackend, transport: Transport) {
    this.#backend = backend
    this.#transport = transport
  }

  onBytes(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString('latin1')
    for (;;) {
      const read = readNaively(this.#text, this.#backend.quirks)
      if (read === undefined) return
      this.#text = read.rest
      this.#answer(read.request)
    }
  }

  #answer(request: NaiveRequest): void {
    const { method, target, host, expectsContinue } = request
    if (method === 'GET' && target === '/__seen') return this.#send(JSON.stringify(summaryOf(this.#backend)))
    this.#backend.seen.push(`${method} ${host} ${target}`)
    if (isSecret(request)) this.#backend.secrets++
    if (expectsContinue) this.#transport.write('HTTP/1.1 100 Continue\r\n\r\n')
    this.#send(`${method} ${target}`)
  }

  #send(body: string): void {
    this.#transport.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  onDrain(): void {}

  onEnd(): void {
    this.#transport.end()
  }

  onClose(): void {}
}

/** What a backend has seen, as its own `/__seen` tells it. */
export interface Seen {
  readonly seen: readonly string[]
  readonly secrets: number
}

export function summaryOf({ seen, secrets }: NaiveBackend): Seen {
  return { seen, secrets }
}
