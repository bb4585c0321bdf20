import { errors } from '../errors.ts'
import { FieldList } from '../fields.ts'
import type { BodyFraming, RequestHead, ResponseHead } from '../messages.ts'
import { HOP_BY_HOP, isForwardedField, nominated, staysBehind } from './hop-fields.ts'
import { TrustedProxies, plainAddress } from './trust.ts'

export interface ForwardingOptions {
  /** Our name in `Via`: a token. Default `breakwater`. */
  readonly viaName?: string
  /** Addresses or CIDR blocks whose `Forwarded` and `X-Forwarded-*` are believed and extended. Default: nobody's. */
  readonly trustedProxies?: readonly string[]
  /** Trailer fields that may pass, in any case. Default: none. */
  readonly trailers?: readonly string[]
  /** Fields of requests, in lower case, that stay behind because the sender says them itself. Default: none. */
  readonly ownFields?: readonly string[]
}

/** What of an exchange the rules look at; a `ServerExchange` fits. */
export interface Received {
  readonly request: RequestHead
  readonly remoteAddress: string
  readonly secure: boolean
}

const NO_BODY: BodyFraming = { kind: 'none' }
const CHUNKED: BodyFraming = { kind: 'chunked' }
/** Said anew at each hop, with what the hops before have said where they are believed. */
const EXTENDED = ['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']
const CONTENT_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * The rules for fields between one hop and the next: what stays behind (RFC 9110 §7.6.1), `Via` (§7.6.3), `Forwarded`
 * (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host`. Makes new lists; never changes those of the message.
 */
export class Forwarding {
  readonly #via: string
  readonly #trusted: TrustedProxies
  readonly #trailers: ReadonlySet<string>
  /** Fields of a request that stay behind. */
  readonly #replaced: ReadonlySet<string>
  /** The authority that came last, and how `Forwarded` says it: most requests name the same. */
  #authority = ''
  #hostPart = ';proto='

  /** @throws `BW_HTTP_OPTIONS_INVALID`. */
  constructor(options: ForwardingOptions = {}) {
    const viaName = options.viaName ?? 'breakwater'
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(viaName)) {
      throw errors.BW_HTTP_OPTIONS_INVALID(`viaName is not a token: ${JSON.stringify(viaName)}`)
    }
    this.#via = `1.1 ${viaName}`
    this.#trusted = new TrustedProxies(options.trustedProxies ?? [])
    this.#trailers = new Set((options.trailers ?? []).map((name) => name.toLowerCase()))
    this.#replaced = new Set([...HOP_BY_HOP, ...EXTENDED, ...(options.ownFields ?? [])])
  }

  /** Whether the word of this peer about earlier hops is believed. */
  trusts(remoteAddress: string): boolean {
    return this.#trusted.has(remoteAddress)
  }

  /** The client's address, as far as we believe it. An untrusted peer is the client, whatever it says. */
  clientAddress(received: Received): string {
    const peer = plainAddress(received.remoteAddress)
    if (!this.#trusted.has(received.remoteAddress)) return peer
    const chain = received.request.fields.getAll('x-forwarded-for').join(',').split(',')
    let client = peer
    for (const hop of chain.toReversed()) {
      const address = hop.trim()
      if (address === '') continue
      client = address
      if (!this.#trusted.has(address)) break
    }
    return client
  }

  /** The fields of a request that go on to the next hop. What this hop says itself is in `hopLines`. */
  requestFields(received: Received): FieldList {
    const { fields } = received.request
    const isTrusted = this.#trusted.has(received.remoteAddress)
    const names = nominated(fields)
    const result = new FieldList()
    const out = result.flat
    const { flat } = fields
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] as string
      if (this.#replaced.has(name) || (names !== undefined && names.has(name))) continue
      if (isTrusted || !isForwardedField(name)) out.push(name, flat[at + 1] as string)
    }
    return result
  }

  /** What this hop says of a request, as `RequestInit.ownLines`: `Via`, `X-Forwarded-For`, `-Proto` and `-Host`, `Forwarded`. */
  hopLines(received: Received): string {
    const { fields, authority } = received.request
    const peer = plainAddress(received.remoteAddress)
    const scheme = received.secure ? 'https' : 'http'
    if (authority !== this.#authority) {
      this.#authority = authority
      this.#hostPart = authority === '' ? ';proto=' : `;host=${quoteIfNeeded(authority)};proto=`
    }
    let via = this.#via
    let chain = peer
    let proto = scheme
    let host = authority
    let forwarded = 'for=' + node(peer) + this.#hostPart + scheme
    if (fields.has('via')) via = extended(fields, 'via', via)
    if (this.#trusted.has(received.remoteAddress)) {
      chain = extended(fields, 'x-forwarded-for', chain)
      forwarded = extended(fields, 'forwarded', forwarded)
      proto = lastOf(fields, 'x-forwarded-proto') || proto
      host = lastOf(fields, 'x-forwarded-host') || host
    }
    const hostLine = host === '' ? '' : '\r\nx-forwarded-host: ' + host
    return (
      '\r\nvia: ' +
      via +
      '\r\nx-forwarded-for: ' +
      chain +
      '\r\nx-forwarded-proto: ' +
      proto +
      hostLine +
      '\r\nforwarded: ' +
      forwarded
    )
  }

  /** The fields of a response for the client. */
  responseFields(head: ResponseHead): FieldList {
    const names = nominated(head.fields)
    const result = new FieldList()
    const out = result.flat
    const { flat } = head.fields
    let via = ''
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] as string
      const value = flat[at + 1] as string
      if (name === 'via') via = via === '' ? value : `${via}, ${value}`
      else if (!staysBehind(name, names)) out.push(name, value)
    }
    out.push('via', via === '' ? this.#via : `${via}, ${this.#via}`)
    return result
  }

  /** The trailers that may pass; undefined when none may. */
  trailers(trailers: FieldList | undefined): FieldList | undefined {
    if (trailers === undefined || this.#trailers.size === 0) return undefined
    const result = new FieldList()
    for (const [name, value] of trailers) if (this.#trailers.has(name)) result.append(name, value)
    return result.size === 0 ? undefined : result
  }
}

/** How to send on the body of a request. Empty POST, PUT and PATCH say `Content-Length: 0` (RFC 9110 §8.6). */
export function requestFraming(head: RequestHead): BodyFraming {
  if (head.body === 'none' && !CONTENT_METHODS.has(head.method)) return NO_BODY
  if (head.body === 'chunked') return CHUNKED
  return { kind: 'length', bytes: head.contentLength }
}

/** How to send on the body of a response: a length when there is one, chunks otherwise. */
export function responseFraming(head: ResponseHead): BodyFraming {
  if (head.body === 'length') return { kind: 'length', bytes: head.contentLength }
  if (head.body !== 'none') return CHUNKED
  return head.declaredLength < 0 ? NO_BODY : { kind: 'none', declaredBytes: head.declaredLength }
}

/** RFC 7239 §6: IPv6 addresses stand in brackets and quotes. */
function node(address: string): string {
  if (address === '') return 'unknown'
  return address.includes(':') ? `"[${address}]"` : address
}

/** The values under a name, and one more behind them. */
function extended(fields: FieldList, name: string, value: string): string {
  return [...fields.getAll(name).filter((given) => given !== ''), value].join(', ')
}

function lastOf(fields: FieldList, name: string): string | undefined {
  return fields.getAll(name).at(-1)
}

function quoteIfNeeded(value: string): string {
  return /^[\w.~-]+$/.test(value) ? value : `"${value}"`
}
