import type { Clock, Random } from '@breakwater/core'
import type { Transport, TransportHandler } from '../../src/index.ts'
import { textOf } from './application.ts'

/** One request that a client means to send. */
export interface Intent {
  readonly id: string
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly body: string
  readonly isChunked: boolean
  readonly isLast: boolean
}

export function makeIntents(random: Random, count: number): Intent[] {
  return Array.from({ length: count }, (_, index): Intent => {
    const id = `/${index}`
    const dice = random()
    return {
      id,
      method: dice < 0.4 ? 'GET' : dice < 0.5 ? 'HEAD' : 'POST',
      body: random() < 0.5 ? '' : textOf(id, Math.floor(random() ** 3 * 100_000)),
      isChunked: random() < 0.4,
      isLast: random() < 0.05,
    }
  })
}

export function writeIntent({ id, method, body, isChunked, isLast }: Intent): string {
  const close = isLast ? 'Connection: close\r\n' : ''
  const head = `${method} ${id} HTTP/1.1\r\nHost: server\r\n${close}`
  if (!isChunked) return `${head}${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`
}

/** A client that pipelines, without any engine: it writes bytes in random parts and keeps what comes back. */
export class RawClient implements TransportHandler {
  received = ''
  isEnded = false
  isClosed = false
  readonly wrongs: string[] = []
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #random: Random
  readonly #endsAfter: boolean
  #rest: string

  constructor(transport: Transport, clock: Clock, random: Random, bytes: string, endsAfter: boolean) {
    this.#transport = transport
    this.#clock = clock
    this.#random = random
    this.#endsAfter = endsAfter
    this.#rest = bytes
    this.#send()
  }

  onBytes(bytes: Uint8Array): void {
    if (this.isEnded) this.wrongs.push('bytes after the end')
    if (this.isClosed) this.wrongs.push('bytes after the close')
    this.received += Buffer.from(bytes).toString('latin1')
    if (this.#random() > 0.1) return
    this.#transport.pause()
    this.#clock.schedule(this.#random() * 100, () => this.#transport.resume())
  }

  onDrain(): void {
    this.#send()
  }

  onEnd(): void {
    if (this.isEnded) this.wrongs.push('a second end')
    this.isEnded = true
    this.#transport.end()
  }

  onClose(): void {
    if (this.isClosed) this.wrongs.push('a second close')
    this.isClosed = true
  }

  #send(): void {
    while (this.#rest !== '' && !this.isClosed) {
      const size = 1 + Math.floor(this.#random() ** 2 * 40_000)
      const part = this.#rest.slice(0, size)
      this.#rest = this.#rest.slice(size)
      if (!this.#transport.write(part)) return
      if (this.#random() < 0.3) {
        this.#clock.schedule(this.#random() * 20, () => this.#send())
        return
      }
    }
    if (this.#rest === '' && this.#endsAfter) this.#transport.end()
  }
}
