import { errors } from '../errors.ts'
import { FieldList } from '../fields.ts'
import type { BodyFraming, RequestHead, ResponseHead } from '../messages.ts'
import { isForwardedField, nominated, staysBehind } from './hop-fields.ts'
import { TrustedProxies, plainAddress } from './trust.ts'

export interface ForwardingOptions {
  /** Our name in `Via`: a token. Default `breakwater`. */
  readonly viaName?: string
  /** Addresses or CIDR blocks whose `Forwarded` and `X-Forwarded-*` are believed and extended. Default: nobody's. */
  readonly trustedProxies?: readonly string[]
  /** Trailer fields that may pass, in any case. Default: none. */
  readonly trailers?: readonly string[]
}

/** What of an exchange the rules look at; a `ServerExchange` fits. */
export interface Received {
  readonly request: RequestHead
  readonly remoteAddress: string
  readonly secure: boolean
}

const NO_BODY: BodyFraming = { kind: 'none' }
const CHUNKED: BodyFraming = { kind: 'chunked' }
const CONTENT_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * The rules for fields between one hop and the next: what stays behind (RFC 9110 §7.6.1), `Via` (§7.6.3), `Forwarded`
 * (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host`. Makes new lists; never changes those of the message.
 */
export class Forwarding {
  readonly #via: string
  readonly #trusted: TrustedProxies
  readonly #trailers: ReadonlySet<string>
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

  /** The fields of a request for the next hop. */
  requestFields(received: Received): FieldList {
    const { request, remoteAddress } = received
    const trusted = this.#trusted.has(remoteAddress)
    const names = nominated(request.fields)
    const result = new FieldList()
    const out = result.flat
    const { flat } = request.fields
    let via = ''
    let chain = ''
    let forwarded = ''
    let proto = ''
    let host = ''
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] as string
      const value = flat[at + 1] as string
      if (name === 'via') via = via === '' ? value : `${via}, ${value}`
      else if (isForwardedField(name)) {
        if (!trusted) continue
        if (name === 'x-forwarded-for') chain = chain === '' ? value : `${chain}, ${value}`
        else if (name === 'forwarded') forwarded = forwarded === '' ? value : `${forwarded}, ${value}`
        else if (name === 'x-forwarded-proto') proto = value
        else if (name === 'x-forwarded-host') host = value
        else out.push(name, value)
      } else if (!staysBehind(name, names)) out.push(name, value)
    }
    const peer = plainAddress(remoteAddress)
    const scheme = received.secure ? 'https' : 'http'
    const { authority } = request
    if (authority !== this.#authority) {
      this.#authority = authority
      this.#hostPart = authority === '' ? ';proto=' : `;host=${quoteIfNeeded(authority)};proto=`
    }
    const element = `for=${node(peer)}${this.#hostPart}${scheme}`
    out.push('via', via === '' ? this.#via : `${via}, ${this.#via}`)
    out.push('x-forwarded-for', chain === '' ? peer : `${chain}, ${peer}`)
    out.push('x-forwarded-proto', proto === '' ? scheme : proto)
    if (host !== '' || authority !== '') out.push('x-forwarded-host', host === '' ? authority : host)
    out.push('forwarded', forwarded === '' ? element : `${forwarded}, ${element}`)
    return result
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

function quoteIfNeeded(value: string): string {
  return /^[\w.~-]+$/.test(value) ? value : `"${value}"`
}
