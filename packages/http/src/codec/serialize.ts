import { errors } from '../errors.ts'
import type { FieldList } from '../fields.ts'
import type { BodyFraming, RequestInit } from '../messages.ts'

/**
 * Written by the engine from what it knows, or meant for one hop only: never copied from a field list. Whatever a caller leaves
 * in there, framing and connection handling of what we send have one author.
 */
const OWN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

// Texts of every message are sums and not templates: a template asks each of its parts what it is, which a sum has learnt.

/**
 * What stands between the value before and the value of a field of this name; empty for those of `OWN`. Made once for each
 * of the names that come all day, so that a line costs two concatenations. Bounded: a flood of names finds no place.
 */
const leads = new Map<string, string>([...OWN].map((name) => [name, '']))
const MAX_LEADS = 512

function leadOf(name: string): string {
  // Joined: a concatenation stays in pieces, and each head that holds it would be copied piece by piece.
  const lead = ['\r\n', name, ': '].join('')
  if (leads.size < MAX_LEADS && name.length <= 64) leads.set(name, lead)
  return lead
}

/** `text`, which ends without a line end, and the lines of the fields after it; again without a line end. */
function withFields(text: string, fields: FieldList): string {
  const { flat } = fields
  let lines = text
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string
    const lead = leads.get(name) ?? leadOf(name)
    if (lead !== '') lines = lines + lead + (flat[at + 1] as string)
  }
  return lines
}

function framingLine(framing: BodyFraming): string {
  if (framing.kind === 'length') return `\r\ncontent-length: ${framing.bytes}`
  if (framing.kind === 'chunked') return '\r\ntransfer-encoding: chunked'
  return framing.declaredBytes === undefined ? '' : `\r\ncontent-length: ${framing.declaredBytes}`
}

// oxlint-disable-next-line no-control-regex -- finding control bytes is the point
const BAD_LINE = /[^\x21-\x7e]/
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/
const USUAL_METHODS: ReadonlySet<string> = new Set([
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
])
/** The authority that passed last: most requests of a process have the same. */
let passedAuthority = ''

function isLine(method: string, target: string, authority: string): boolean {
  if (!USUAL_METHODS.has(method) && !METHOD.test(method)) return false
  if (target === '' || BAD_LINE.test(target)) return false
  if (authority === passedAuthority) return true
  if (BAD_LINE.test(authority)) return false
  passedAuthority = authority
  return true
}

/**
 * The head of a request, as latin1 text.
 *
 * @throws `BW_HTTP_REQUEST_LINE_INVALID` when method, target or authority would break the line.
 */
export function serializeRequestHead(request: RequestInit): string {
  const { method, target, authority, fields, framing, upgrade, ownLines = '' } = request
  if (!isLine(method, target, authority)) {
    throw errors.BW_HTTP_REQUEST_LINE_INVALID('method, target or authority cannot be sent')
  }
  if (upgrade !== undefined && BAD_REASON.test(upgrade))
    throw errors.BW_HTTP_UPGRADE_INVALID('the protocol to upgrade to cannot be sent')
  const connection = upgrade === undefined ? '' : `\r\nconnection: upgrade\r\nupgrade: ${upgrade}`
  const begin = method + ' ' + target + ' HTTP/1.1\r\nhost: ' + authority + connection + framingLine(framing)
  return withFields(begin, fields) + ownLines + '\r\n\r\n'
}

/** What a response says about its connection. */
export type ConnectionNote = 'none' | 'close' | 'keep-alive'

/** The head of a response, as latin1 text. The version is always HTTP/1.1 (RFC 9110 §2.5); `chunked` is for 1.1 clients only. */
export function serializeResponseHead(
  status: number,
  reason: string,
  fields: FieldList,
  framing: BodyFraming,
  note: ConnectionNote,
): string {
  const connection = note === 'none' ? '' : `\r\nconnection: ${note}`
  const begin = 'HTTP/1.1 ' + status + ' ' + reason + connection + framingLine(framing)
  return withFields(begin, fields) + '\r\n\r\n'
}

/** A 1xx head; for 101 with the protocol that takes over. */
export function serializeInformational(
  status: number,
  fields: FieldList | undefined,
  upgrade?: string,
): string {
  const connection = upgrade === undefined ? '' : `\r\nconnection: upgrade\r\nupgrade: ${upgrade}`
  const begin = `HTTP/1.1 ${status} ${reasonOf(status)}${connection}`
  return `${fields === undefined ? begin : withFields(begin, fields)}\r\n\r\n`
}

/** Lines of small chunks, which come again and again; made when they are first needed. */
const SIZE_LINES: (string | undefined)[] = Array.from({ length: 1_024 }, () => undefined)

/** The line in front of a chunk of so many bytes (RFC 9112 §7.1). */
export function serializeChunkSize(bytes: number): string {
  if (bytes >= SIZE_LINES.length) return `${bytes.toString(16)}\r\n`
  return (SIZE_LINES[bytes] ??= `${bytes.toString(16)}\r\n`)
}

/** The end of a chunked body, with trailers if any. */
export function serializeLastChunk(trailers: FieldList | undefined): string {
  return trailers === undefined ? '0\r\n\r\n' : `${withFields('0', trailers)}\r\n\r\n`
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** The usual reason phrase, or nothing: clients must not depend on it (RFC 9112 §4). */
export function reasonOf(status: number): string {
  return REASONS[status] ?? ''
}

// Control bytes in a reason would split the response; the parser refuses them, others may not.
const BAD_REASON = /[^\t\x20-\x7e\x80-\xff]/

/** @throws `BW_HTTP_STATUS_LINE_INVALID` for a status outside 100–999 or a reason with control bytes. */
export function checkStatus(status: number, reason: string): void {
  if (reason !== '' && reason === REASONS[status]) return
  if (!Number.isInteger(status) || status < 100 || status > 999 || BAD_REASON.test(reason)) {
    throw errors.BW_HTTP_STATUS_LINE_INVALID(`cannot send status ${status} ${JSON.stringify(reason)}`)
  }
}
