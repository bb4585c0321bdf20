import { llhttpMethods, readWithLlhttp } from './llhttp.ts'
import type { Message, Reading } from './reading.ts'
import { latin1, readRequests, readResponses } from './reading.ts'

/** The parser we stand for never accepts more than llhttp, and never frames differently. The first breach, in words. */
export function disagreement(ours: Reading, theirs: Reading): string | undefined {
  for (const [index, mine] of ours.messages.entries()) {
    const other = theirs.messages[index]
    if (other === undefined)
      return `message ${index} (${mine.start}) is accepted, llhttp says ${theirs.refusedWith ?? 'nothing'} ${theirs.details}`
    const what = differs(mine, other)
    if (what !== undefined)
      return `message ${index}: ${what} (llhttp: ${theirs.refusedWith ?? 'ok'} ${theirs.details})`
  }
  if (ours.refusedWith !== undefined) return undefined
  const last = ours.messages.at(-1)
  // After its last message a connection carries nothing that matters.
  if (last !== undefined && (last.upgrade || !last.keepAlive)) return undefined
  if (theirs.refusedWith !== undefined)
    return `all is accepted, llhttp says ${theirs.refusedWith} ${theirs.details}`
  return theirs.messages.length === ours.messages.length
    ? undefined
    : `${ours.messages.length} messages, llhttp sees ${theirs.messages.length}`
}

function differs(mine: Message, other: Message): string | undefined {
  if (mine.start !== other.start) return `start ${show(mine.start)} and ${show(other.start)}`
  if (mine.minorVersion !== other.minorVersion)
    return `version 1.${mine.minorVersion} and 1.${other.minorVersion}`
  if (mine.keepAlive && !other.keepAlive) return 'the connection goes on, for llhttp it ends'
  if (mine.upgrade && !other.upgrade) return 'another protocol follows, for llhttp it does not'
  const fields = firstDifference(mine.fields, other.fields)
  if (fields !== undefined) return `fields ${fields}`
  if (!mine.isComplete) {
    const isPrefix = mine.body.startsWith(other.body) || other.body.startsWith(mine.body)
    return isPrefix ? undefined : `body so far ${show(mine.body)} and ${show(other.body)}`
  }
  if (!other.isComplete) return 'complete, for llhttp it is not'
  if (mine.body !== other.body) return `body ${show(mine.body)} and ${show(other.body)}`
  const trailers = firstDifference(mine.trailers, other.trailers)
  return trailers === undefined ? undefined : `trailers ${trailers}`
}

function firstDifference(mine: readonly string[], other: readonly string[]): string | undefined {
  for (let at = 0; at < Math.max(mine.length, other.length); at++)
    if (mine[at] !== other[at]) return `${show(mine[at] ?? '(none)')} and ${show(other[at] ?? '(none)')}`
  return undefined
}

const show = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** llhttp obeys `Proxy-Connection` as if it were `Connection`; no RFC knows it. Both parsers get to see another name of its length. */
const hideProxyConnection = (text: string): string => text.replaceAll(/\bproxy-(?=connection)/gi, 'hidde-')

export interface Comparison {
  readonly ours: Reading
  readonly disagreement: string | undefined
}

/** Compares both parsers over requests; `cut` splits the bytes for ours, llhttp gets them whole. */
export function compareRequests(text: string, cut: (bytes: Uint8Array) => Uint8Array[]): Comparison {
  const visible = hideProxyConnection(text)
  const ours = readRequests(cut(latin1(visible)))
  if (ours.messages.length === 0 && ours.refusedWith !== undefined) return { ours, disagreement: undefined }
  const [known, methods] = withKnownMethods(visible, ours.messages)
  const theirs = readWithLlhttp(
    'requests',
    latin1(known),
    [],
    (index) => ours.messages[index]?.upgrade === true,
  )
  const renamed = ours.messages.map((message, index) => {
    const target = message.start.slice(message.start.indexOf(' '))
    return methods[index] === undefined ? message : { ...message, start: `${methods[index]}${target}` }
  })
  return { ours, disagreement: disagreement({ ...ours, messages: renamed }, theirs) }
}

export function compareResponses(
  text: string,
  methods: readonly string[],
  cut: (bytes: Uint8Array) => Uint8Array[],
): Comparison {
  const visible = hideProxyConnection(text)
  const ours = readResponses(cut(latin1(visible)), { methods })
  if (ours.messages.length === 0 && ours.refusedWith !== undefined) return { ours, disagreement: undefined }
  const theirs = readWithLlhttp('responses', latin1(visible), methods)
  return { ours, disagreement: disagreement(ours, theirs) }
}

/**
 * llhttp knows a list of methods, RFC 9110 §9.1 knows tokens. Methods outside the list are replaced, in the bytes that
 * llhttp gets, by one it knows: framing must not depend on the method.
 */
function withKnownMethods(text: string, messages: readonly Message[]): [string, (string | undefined)[]] {
  let bytes = text
  let from = 0
  const methods = messages.map((message) => {
    const line = `${message.start} HTTP/1.`
    const at = bytes.indexOf(line, from)
    const method = message.start.slice(0, message.start.indexOf(' '))
    if (at < 0) return undefined
    from = at + line.length
    if (llhttpMethods.has(method)) return undefined
    bytes = `${bytes.slice(0, at)}POST${bytes.slice(at + method.length)}`
    from += 4 - method.length
    return 'POST'
  })
  return [bytes, methods]
}
