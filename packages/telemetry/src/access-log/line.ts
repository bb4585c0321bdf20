import { REDACTED, namesSecret } from '../redaction.ts'

/** One finished request. The log keeps no reference to it: one object may be reused for every request. */
export interface AccessLogEntry {
  /** Wall clock, Unix milliseconds, when the request had come in. */
  readonly timeMs: number
  readonly requestId: string
  readonly traceId: string
  readonly method: string
  /** Path without the query. */
  readonly path: string
  /** Query without the question mark; its values are redacted unless the log is told otherwise. */
  readonly query?: string | undefined
  readonly host?: string | undefined
  /** Id of the route; absent when none matched. */
  readonly route?: string | undefined
  readonly upstream?: string | undefined
  /** `host:port` of the endpoint that answered. */
  readonly endpoint?: string | undefined
  /** Status that the client got; 0 when it went away first. */
  readonly status: number
  readonly durationMs: number
  /** Tries that left for an upstream. */
  readonly attempts: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly remoteAddress: string
  readonly tenant?: string | undefined
  readonly userAgent?: string | undefined
  /** Error code, when Breakwater answered for the upstream or refused. */
  readonly code?: string | undefined
  readonly fault?: string | undefined
  /** What was served in a lesser form. */
  readonly degraded?: string | undefined
  /**
   * Request headers that the operator asked for: name, value, name, value … . Values of those that name a secret
   * (`authorization`, `cookie`, `x-api-key` …) are replaced, whatever was asked.
   */
  readonly headers?: readonly string[] | undefined
}

/** What becomes of the query: values replaced by `***`, all of it left out, or logged as it came. */
export type QueryLogging = 'redact' | 'omit' | 'keep'

/** Longest text of one field; the rest is cut off. Bounds what one request can put into the log. */
const MAX_FIELD_CHARS = 2048

// Printable ASCII without the quote and the backslash needs no escape.
const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
const NOT_ASCII = /[^\x20-\x7e]/g

/**
 * Writes entries as lines of JSON in ASCII: one character is one byte, and no value can break a line. A line costs what its
 * pieces cost to join, so what hardly changes from one request to the next is kept as one piece.
 */
export class LineWriter {
  readonly #query: QueryLogging
  readonly #host = remembered('host')
  readonly #route = remembered('route')
  readonly #upstream = remembered('upstream')
  readonly #endpoint = remembered('endpoint')
  readonly #remoteAddress = remembered('remoteAddress')
  readonly #userAgent = remembered('userAgent')
  #second = Number.NaN
  #secondText = ''
  #lastMethod = ''
  #methodText = ''
  #lastCounts = -1
  #countsText = ''
  #lastStatus = Number.NaN
  #statusText = ''

  constructor(query: QueryLogging) {
    this.#query = query
  }

  line(entry: AccessLogEntry): string {
    const requestId = quoted(entry.requestId)
    let text =
      this.#begin(entry.timeMs) +
      requestId +
      ',"traceId":' +
      (entry.traceId === entry.requestId ? requestId : quoted(entry.traceId)) +
      this.#method(entry.method) +
      quoted(entry.path)
    if (entry.query !== undefined && entry.query !== '' && this.#query !== 'omit') {
      text += `,"query":${quoted(this.#query === 'keep' ? entry.query : redactQuery(entry.query))}`
    }
    text += this.#host(entry.host) + this.#route(entry.route)
    text += this.#upstream(entry.upstream) + this.#endpoint(entry.endpoint)
    text += this.#status(entry.status) + milliseconds(entry.durationMs)
    text += this.#counts(entry.attempts, entry.requestBytes) + number(entry.responseBytes)
    text += this.#remoteAddress(entry.remoteAddress)
    if (entry.tenant !== undefined) text += optional('tenant', entry.tenant)
    text += this.#userAgent(entry.userAgent)
    if (entry.code !== undefined) text += optional('code', entry.code) + optional('fault', entry.fault)
    else if (entry.fault !== undefined) text += optional('fault', entry.fault)
    if (entry.degraded !== undefined) text += optional('degraded', entry.degraded)
    if (entry.headers !== undefined && entry.headers.length > 0) text += headersText(entry.headers)
    return text + '}\n'
  }

  /** RFC 3339 in UTC. The date part is made once a second, not once a request. */
  #begin(timeMs: number): string {
    const whole = Math.floor(timeMs)
    const second = Math.floor(whole / 1000)
    if (second !== this.#second) {
      if (!(Math.abs(whole) <= 8.64e15)) return '{"time":"invalid","requestId":'
      this.#second = second
      this.#secondText = inOnePiece('{"time":"', new Date(second * 1000).toISOString().slice(0, -4))
    }
    return this.#secondText + THOUSANDTHS[whole - second * 1000] + 'Z","requestId":'
  }

  #method(method: string): string {
    if (method !== this.#lastMethod) {
      this.#lastMethod = method
      this.#methodText = inOnePiece(',"method":', quoted(method), ',"path":')
    }
    return this.#methodText
  }

  #status(status: number): string {
    if (status !== this.#lastStatus) {
      this.#lastStatus = status
      this.#statusText = inOnePiece(',"status":', number(status), ',"durationMs":')
    }
    return this.#statusText
  }

  #counts(attempts: number, requestBytes: number): string {
    // Most requests have no body and need one try.
    if (requestBytes !== 0) return countsText(attempts, requestBytes)
    if (attempts !== this.#lastCounts) {
      this.#lastCounts = attempts
      this.#countsText = inOnePiece(',"attempts":', number(attempts), ',"requestBytes":0,"responseBytes":')
    }
    return this.#countsText
  }
}

function countsText(attempts: number, requestBytes: number): string {
  return `,"attempts":${number(attempts)},"requestBytes":${number(requestBytes)},"responseBytes":`
}

/** `000` to `999`. */
const THOUSANDTHS: readonly string[] = Array.from({ length: 1000 }, (_, index) =>
  String(1000 + index).slice(1),
)

/** `token=abc&page=2` becomes `token=***&page=***`; a part without `=` may itself be a secret and becomes `***`. */
export function redactQuery(query: string): string {
  return query
    .split('&')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals < 0 ? '***' : `${part.slice(0, equals)}=***`
    })
    .join('&')
}

function headersText(headers: readonly string[]): string {
  let text = ''
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    text += `${text === '' ? '' : ','}${quoted(name)}:${quoted(namesSecret(name) ? REDACTED : (headers[at + 1] ?? ''))}`
  }
  return `,"headers":{${text}}`
}

/** One field of the line. What hardly changes from one request to the next is escaped once. */
function remembered(name: string): (value: string | undefined) => string {
  let last: string | undefined
  let text = ''
  return (value) => {
    if (value === undefined) return ''
    if (value !== last) {
      text = inOnePiece(',"', name, '":', quoted(value))
      last = value
    }
    return text
  }
}

/** Makes one text of several. A concatenation would stay in pieces, and each line that holds it would be copied piece by piece. */
function inOnePiece(...pieces: readonly string[]): string {
  return pieces.join('')
}

function optional(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value)}`
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

/** To the microsecond. Put together from whole numbers: printing a fraction costs ten times as much. */
function milliseconds(value: number): string {
  const micros = Math.round(value * 1000)
  if (!(micros >= 0 && micros <= Number.MAX_SAFE_INTEGER)) return number(value)
  const whole = Math.floor(micros / 1000)
  return whole + '.' + THOUSANDTHS[micros - whole * 1000]
}

function quoted(value: string): string {
  const text = value.length > MAX_FIELD_CHARS ? value.slice(0, MAX_FIELD_CHARS) : value
  if (!NEEDS_ESCAPE.test(text)) return '"' + text + '"'
  return JSON.stringify(text).replace(
    NOT_ASCII,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
