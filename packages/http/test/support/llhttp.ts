import { createRequire } from 'node:module'
import type { Message, Reading } from './reading.ts'

/** The part of `node:http`'s own parser that this file uses. It is llhttp, as `http.createServer` runs it. */
interface HttpParser {
  initialize(type: number, resource: object, maxHeaderBytes: number, leniency: number): void
  execute(bytes: Uint8Array): number | (Error & { code: string; reason: string })
  finish(): undefined | (Error & { code: string; reason: string })
  [callback: number]: unknown
}

interface ParserClass {
  new (): HttpParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
  readonly kLenientNone: number
}

interface Common {
  readonly HTTPParser: ParserClass
  readonly methods: readonly string[]
}

const common = createRequire(import.meta.url)('_http_common') as Common
const { HTTPParser } = common
// By llhttp's numbers; what lies between SOURCE and QUERY belongs to other protocols.
const FIRST_METHODS =
  `DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND
  ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK UNLINK SOURCE`.split(
    /\s+/,
  )
const QUERY = 46
const methodName = (number: number | null): string =>
  number === QUERY ? 'QUERY' : (FIRST_METHODS[number ?? -1] ?? `method ${number}`)

/** Methods that llhttp knows. It refuses all others, which RFC 9110 §9.1 does not ask for. */
export const llhttpMethods: ReadonlySet<string> = new Set(common.methods)

type Draft = { -readonly [Key in keyof Message]: Message[Key] } & { fields: string[]; trailers: string[] }

const MAX_HEADER_BYTES = 1 << 20
const parser = new HTTPParser()
let messages: Draft[] = []
let earlyFields: string[] = []
let earlyUrl = ''
let answered = 0
let methods: readonly string[] = []
let isResponse = false

const pairs = (flat: readonly string[]): string[] => {
  const lines: string[] = []
  for (let at = 0; at < flat.length; at += 2) lines.push(`${flat[at]?.toLowerCase()}: ${flat[at + 1]}`)
  return lines
}

// More fields than llhttp's binding holds come before the end of the head, trailers after it: told apart by `isComplete`.
parser[HTTPParser.kOnHeaders] = (flat: string[], url: string): void => {
  const last = messages.at(-1)
  if (last !== undefined && !last.isComplete) last.trailers.push(...pairs(flat))
  else {
    earlyFields.push(...pairs(flat))
    earlyUrl += url
  }
}

parser[HTTPParser.kOnHeadersComplete] = (
  _major: number,
  minorVersion: number,
  flat: string[] | undefined,
  method: number | null,
  url: string | undefined,
  status: number | null,
  _reason: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
): number => {
  const isInformational = isResponse && status !== null && status < 200 && status !== 101
  messages.push({
    start: isResponse ? String(status) : `${methodName(method)} ${url ?? earlyUrl}`,
    minorVersion,
    keepAlive,
    upgrade,
    fields: [...earlyFields, ...pairs(flat ?? [])],
    trailers: [],
    body: '',
    isComplete: false,
  })
  earlyFields = []
  earlyUrl = ''
  if (!isResponse || isInformational) return 0
  if ((methods[answered++] ?? 'GET') !== 'HEAD') return 0
  // llhttp learns only from this answer that no body follows, and thought so far that one without length ends by close.
  const last = messages.at(-1)
  if (last !== undefined)
    last.keepAlive ||=
      !last.fields.some(says('close')) && (minorVersion === 1 || last.fields.some(says('keep-alive')))
  return 1
}

parser[HTTPParser.kOnBody] = (bytes: Buffer): void => {
  const last = messages.at(-1)
  if (last !== undefined) last.body += bytes.toString('latin1')
}

parser[HTTPParser.kOnMessageComplete] = (): void => {
  const last = messages.at(-1)
  if (last === undefined) return
  last.isComplete = true
  last.trailers.push(...earlyFields)
  earlyFields = []
}

const says =
  (option: string) =>
  (line: string): boolean =>
    line.startsWith('connection: ') &&
    line
      .slice(12)
      .split(',')
      .some((part) => part.trim().toLowerCase() === option)

/**
 * What llhttp, strict as `node:http` uses it by default, makes of `bytes`, after which the connection ends.
 * `isUpgrade` says whether the message with this index changes the protocol: a server may ignore the wish (RFC 9110
 * §7.8), as `node:http` does without a listener for it, and then goes on reading HTTP.
 */
export function readWithLlhttp(
  type: 'requests' | 'responses',
  bytes: Uint8Array,
  requestMethods: readonly string[] = [],
  isUpgrade: (index: number) => boolean = () => true,
): Reading {
  messages = []
  earlyFields = []
  earlyUrl = ''
  answered = 0
  methods = requestMethods
  isResponse = type === 'responses'
  let error: { readonly code: string; readonly reason: string } | undefined
  let rest = bytes
  for (;;) {
    parser.initialize(
      isResponse ? HTTPParser.RESPONSE : HTTPParser.REQUEST,
      {},
      MAX_HEADER_BYTES,
      HTTPParser.kLenientNone,
    )
    const result = parser.execute(rest)
    if (typeof result !== 'number') {
      error = result
      break
    }
    const last = messages.at(-1)
    const isSwitched = last?.upgrade === true && last.isComplete
    if (!isSwitched) {
      error = parser.finish()
      break
    }
    if (isUpgrade(messages.length - 1) || result >= rest.length) break
    rest = rest.subarray(result)
  }
  return {
    messages,
    refusedWith: error?.code,
    rule: error?.code,
    status: error === undefined ? undefined : 400,
    details: error?.reason ?? '',
  }
}
