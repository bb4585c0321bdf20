import type { ResponseHead } from '../../src/index.ts'
import type { HttpError } from '../../src/errors.ts'
import type { FieldList } from '../../src/fields.ts'
import type { RequestHead } from '../../src/messages.ts'
import type { Parser } from '../../src/codec/handlers.ts'
import { resolveLimits } from '../../src/codec/limits.ts'
import type { MessageLimits } from '../../src/codec/limits.ts'
import { RequestParser } from '../../src/codec/request-parser.ts'
import { ResponseParser } from '../../src/codec/response-parser.ts'

/** One message as a parser understood it. What two parsers must agree on, and nothing else. */
export interface Message {
  /** Method and target, or status. */
  readonly start: string
  readonly minorVersion: number
  readonly keepAlive: boolean
  /** Whether what follows belongs to another protocol. */
  readonly upgrade: boolean
  /** `name: value` of every field but trailers, names in lower case. */
  readonly fields: readonly string[]
  readonly trailers: readonly string[]
  readonly body: string
  readonly isComplete: boolean
}

/** Everything a parser made of some bytes. */
export interface Reading {
  readonly messages: readonly Message[]
  /** Code of the refusal. */
  readonly refusedWith: string | undefined
  /** The rule that was broken: the same, or what lies behind a response's refusal. */
  readonly rule: string | undefined
  readonly status: number | undefined
  readonly details: string
}

export interface ReadOptions {
  readonly limits?: MessageLimits
  /** Responses: methods of the requests that they answer, in order. `GET` for those not named. */
  readonly methods?: readonly string[]
  /** Whether the connection ends after the bytes. Default true. */
  readonly isEnding?: boolean
}

interface Draft {
  start: string
  minorVersion: number
  keepAlive: boolean
  upgrade: boolean
  fields: string[]
  trailers: string[]
  body: string
  isComplete: boolean
}

const flatten = (list: FieldList | undefined): string[] =>
  list === undefined ? [] : [...list].map(([name, value]) => `${name}: ${value}`)

class Reader {
  readonly messages: Draft[] = []
  error: HttpError | undefined
  isDone = false
  readonly events = {
    onHead: (head: RequestHead | ResponseHead): void => this.#begin(head),
    onInformational: (head: ResponseHead): void => {
      this.#begin(head)
      this.#last.isComplete = true
    },
    onData: (chunk: Uint8Array): void => {
      if (chunk.length === 0) throw new Error('empty data')
      this.#last.body += Buffer.from(chunk).toString('latin1')
    },
    onMessageEnd: (trailers: FieldList | undefined): void => {
      if (this.#last.isComplete) throw new Error('a message ended twice')
      this.#last.isComplete = true
      this.#last.trailers = flatten(trailers)
      this.onMessageEnd(this.#last)
    },
    onError: (error: HttpError): void => {
      if (this.error !== undefined) throw new Error('two errors')
      this.error = error
    },
  }
  onMessageEnd: (message: Draft) => void = () => undefined

  get #last(): Draft {
    const last = this.messages.at(-1)
    if (last === undefined) throw new Error('body without a head')
    return last
  }

  #begin(head: RequestHead | ResponseHead): void {
    if (this.messages.at(-1)?.isComplete === false) throw new Error('a head inside a message')
    const isRequest = 'method' in head
    this.messages.push({
      start: isRequest ? `${head.method} ${head.target}` : String(head.status),
      minorVersion: head.minorVersion,
      keepAlive: head.keepAlive,
      upgrade: isRequest ? head.upgrade !== undefined : head.status === 101,
      fields: flatten(head.fields),
      trailers: [],
      body: '',
      isComplete: false,
    })
  }

  reading(): Reading {
    const rule = this.error?.details['rule']
    return {
      messages: this.messages,
      refusedWith: this.error?.code,
      rule: typeof rule === 'string' ? rule : this.error?.code,
      status: this.error?.spec.status,
      details: this.error?.message ?? '',
    }
  }
}

/** Feeds pieces the way a connection does: never after the end, never again what was consumed. */
function feedAll(parser: Parser, pieces: readonly Uint8Array[], reader: Reader): void {
  for (const piece of pieces) {
    if (parser.dead || reader.isDone) return
    // A copy that is overwritten afterwards: a parser that keeps a view is found out.
    const bytes = new Uint8Array(piece)
    parser.feed(bytes)
    bytes.fill(0xa5)
  }
}

/** What the request parser makes of `pieces`. Stops, as a connection does, after a message that is the last one. */
export function readRequests(pieces: readonly Uint8Array[], options: ReadOptions = {}): Reading {
  const reader = new Reader()
  const parser = new RequestParser(resolveLimits(options.limits), reader.events)
  reader.onMessageEnd = (message) => {
    if (message.keepAlive && !message.upgrade) return
    reader.isDone = true
    parser.pause()
  }
  feedAll(parser, pieces, reader)
  if (!reader.isDone && options.isEnding !== false) parser.end()
  return reader.reading()
}

/** What the response parser makes of `pieces`. Stops after a response that is the last one of its connection. */
export function readResponses(pieces: readonly Uint8Array[], options: ReadOptions = {}): Reading {
  const methods = options.methods ?? []
  let answered = 0
  const reader = new Reader()
  const parser = new ResponseParser(resolveLimits(options.limits), {
    ...reader.events,
    onHead: (head) => {
      reader.events.onHead(head)
      if (head.status === 101) reader.isDone = true
    },
  })
  const expectNext = (): void => {
    const method = methods[answered++] ?? 'GET'
    parser.expect(method, method === 'UPGRADE')
  }
  reader.onMessageEnd = (message) => {
    if (message.keepAlive) {
      expectNext()
      return
    }
    reader.isDone = true
    parser.pause()
  }
  expectNext()
  feedAll(parser, pieces, reader)
  if (!reader.isDone && options.isEnding !== false) parser.end()
  return reader.reading()
}

export const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** The three ways in which every input is fed: whole, byte by byte, and cut where `cut` says (0–1, per byte). */
export function bytewise(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
}

export function splitAt(bytes: Uint8Array, random: () => number, ratio = 0.05): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  for (let at = 1; at < bytes.length; at++) {
    if (random() >= ratio) continue
    pieces.push(bytes.subarray(start, at))
    start = at
  }
  pieces.push(bytes.subarray(start))
  return pieces
}
