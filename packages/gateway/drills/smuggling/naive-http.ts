/** How a careless server reads: each of these was, or is, somebody's real one. */
export interface Quirks {
  /** Which of several Content-Lengths it believes. */
  readonly length: 'first' | 'last'
  /** What it takes for a number: digits or else nothing, anything `parseInt` takes, or anything `Number` takes too. */
  readonly numbers: 'digits' | 'prefix' | 'any'
  /** Whether `chunked` must stand there exactly, as the last value, or merely occur. */
  readonly chunked: 'exact' | 'loose'
  /** Which one it follows when there are both. */
  readonly prefers: 'length' | 'chunked'
  readonly lineEnds: 'crlf' | 'lf' | 'cr'
  /** Whether names are cleaned of white space, NUL and underscores before they are looked at. */
  readonly names: 'exact' | 'cleaned'
  /** What becomes of a line that begins with white space: its own, or part of the one before. */
  readonly folds: 'joined' | 'dropped' | 'trimmed'
  /** A chunk size: leading hex digits, whatever `parseInt` takes, or the lower 32 bits. */
  readonly chunkSize: 'hex' | 'any' | 'wrapped'
  /** A GET has no body, it thinks. */
  readonly getHasNoBody: boolean
  /** In HTTP/1.0 there are no chunks, it thinks. */
  readonly oldHasNoChunks: boolean
  readonly host: 'first' | 'last' | 'absolute'
  /** Whether it resolves `..`, `%2f` and `\` in paths. */
  readonly paths: 'literal' | 'resolved'
}

export const USUAL: Quirks = {
  length: 'first',
  numbers: 'digits',
  chunked: 'exact',
  prefers: 'chunked',
  lineEnds: 'crlf',
  names: 'exact',
  folds: 'dropped',
  chunkSize: 'hex',
  getHasNoBody: false,
  oldHasNoChunks: false,
  host: 'first',
  paths: 'literal',
}

export interface NaiveRequest {
  readonly method: string
  readonly target: string
  /** What it thinks is asked for: host and path. */
  readonly host: string
  readonly path: string
  readonly expectsContinue: boolean
  /** Latin1, up to the body and the body. */
  readonly head: string
  readonly body: string
}

const LINE_ENDS = { crlf: /\r\n/g, lf: /\r?\n/g, cr: /\r\n|\r|\n/g } as const
const HEAD_ENDS = { crlf: /\r\n\r\n/, lf: /\r?\n\r?\n/, cr: /\r\n\r\n|\r\r(?!\n)|\n\n/ } as const

/** The first request in `text` as a server with these quirks sees it, and the rest; `undefined` while it is incomplete. */
export function readNaively(
  text: string,
  quirks: Quirks,
): { readonly request: NaiveRequest; readonly rest: string } | undefined {
  const start = text.replace(/^[\r\n]+/, '')
  const end = HEAD_ENDS[quirks.lineEnds].exec(start)
  if (end === null) return undefined
  const head = start.slice(0, end.index + end[0].length)
  const [first = '', ...lines] = linesOf(head, quirks)
  const [method = '', target = '', version = ''] = first.split(' ')
  const valuesOf = (name: string): string[] =>
    lines.flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 && nameOf(line.slice(0, colon), quirks) === name ? [line.slice(colon + 1)] : []
    })
  const after = start.slice(head.length)
  const bodyEnd = endOfBody(after, { method, version }, valuesOf, quirks)
  if (bodyEnd === undefined) return undefined
  const absolute = /^http:\/\/([^/]*)(.*)/.exec(target)
  const hosts = valuesOf('host').map((host) => host.trim())
  const host = (quirks.host === 'last' ? hosts.at(-1) : hosts[0]) ?? ''
  return {
    request: {
      method,
      target,
      host: quirks.host === 'absolute' ? (absolute?.[1] ?? host) : host,
      path: pathOf(absolute?.[2] ?? target, quirks),
      expectsContinue: valuesOf('expect').some((value) => /100-continue/i.test(value)),
      head,
      body: after.slice(0, bodyEnd),
    },
    rest: after.slice(bodyEnd),
  }
}

function linesOf(head: string, quirks: Quirks): string[] {
  const lines: string[] = []
  for (const line of head.split(LINE_ENDS[quirks.lineEnds])) {
    if (!/^[ \t]/.test(line)) lines.push(line)
    else if (quirks.folds === 'joined') lines.push(`${lines.pop() ?? ''}${line}`)
    else if (quirks.folds === 'trimmed') lines.push(line.trim())
  }
  return lines
}

function nameOf(name: string, quirks: Quirks): string {
  const lower = name.toLowerCase()
  // oxlint-disable-next-line no-control-regex -- a NUL in a name is one of the attacks
  return quirks.names === 'exact' ? lower : lower.replaceAll(/[\s\0]/g, '').replaceAll('_', '-')
}

function endOfBody(
  text: string,
  { method, version }: { readonly method: string; readonly version: string },
  valuesOf: (name: string) => string[],
  quirks: Quirks,
): number | undefined {
  if (quirks.getHasNoBody && method === 'GET') return 0
  const knowsChunks = !quirks.oldHasNoChunks || version !== 'HTTP/1.0'
  const codings = knowsChunks ? valuesOf('transfer-encoding') : []
  const isChunked =
    quirks.chunked === 'loose'
      ? codings.some((value) => /chunked/i.test(value))
      : codings.at(-1)?.replace(/^ /, '') === 'chunked'
  const lengths = valuesOf('content-length').map((value) => value.trim())
  const length = quirks.length === 'first' ? lengths[0] : lengths.at(-1)
  if (isChunked && (quirks.prefers === 'chunked' || length === undefined)) return endOfChunks(text, quirks)
  const bytes = length === undefined ? 0 : numberOf(length, quirks)
  return text.length >= bytes ? bytes : undefined
}

function numberOf(text: string, { numbers }: Quirks): number {
  if (numbers === 'digits') return /^\d+$/.test(text) ? Number(text) : 0
  const all = numbers === 'any' ? Number(text) : Number.NaN
  return Math.max(0, Number.isNaN(all) ? Number.parseInt(text, 10) || 0 : all)
}

function endOfChunks(text: string, quirks: Quirks): number | undefined {
  const lineEnd = quirks.lineEnds === 'lf' ? '\n' : '\r\n'
  let at = 0
  for (;;) {
    const end = text.indexOf(lineEnd, at)
    if (end < 0) return undefined
    const size = sizeOf(text.slice(at, end), quirks)
    at = end + lineEnd.length
    if (size > 0) {
      at += size + 2
      if (at > text.length) return undefined
      continue
    }
    // Trailers, and the empty line.
    for (;;) {
      const stop = text.indexOf(lineEnd, at)
      if (stop < 0) return undefined
      const isEmpty = text.slice(at, stop).replace('\r', '') === ''
      at = stop + lineEnd.length
      if (isEmpty) return at
    }
  }
}

function sizeOf(line: string, { chunkSize }: Quirks): number {
  if (chunkSize === 'hex') return Number.parseInt(/^[0-9a-f]+/i.exec(line)?.[0] ?? '0', 16)
  return Number.parseInt(chunkSize === 'wrapped' ? line.slice(-8) : line, 16) || 0
}

function pathOf(target: string, { paths }: Quirks): string {
  if (paths === 'literal') return target
  return new URL(target.replaceAll(/%2f|%5c|\\/gi, '/').replaceAll(/%2e/gi, '.'), 'http://host').pathname
}
