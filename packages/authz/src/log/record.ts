import type { Decision } from '../engine/decision.ts'
import { KnownContext } from '../engine/known-context.ts'
import type { AuthzRequest } from '../engine/request.ts'
import { KnownUid } from '../entities/known-uid.ts'

/** Why a request was answered without asking the policies: `public-route`, `health`. */
export type Shortcut = string

/** What the log reads of a decision, whichever engine made it. */
export type LoggedDecision = Pick<
  Decision,
  'decision' | 'reasons' | 'errors' | 'policyVersion' | 'obligations'
> & {
  readonly engine: string
  readonly failure?: { readonly code: string }
}

/** What is to be recorded. Nothing of it may change before it is committed: it is read then. */
export interface DecisionEntry {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. */
  readonly timeMs: number
  /** Left out when the request could not even be read. */
  readonly request?: AuthzRequest | undefined
  readonly decision: LoggedDecision
  /** Set when no policy was asked. */
  readonly shortcut?: Shortcut | undefined
  /** For whom it was made, when an enforcement point elsewhere asked and said who wants what: `authzen`. */
  readonly via?: string
  /** Set when the decisions are those on the rows of one answer. */
  readonly rows?: LoggedRows
  /** Joins the record to the rest of the story. */
  readonly traceId?: string
}

/** What became of the rows of an answer. Of what was shown the ids, of what was not only how many. */
export interface LoggedRows {
  readonly kept: readonly string[]
  /** Denied. */
  readonly dropped: number
  /** Left out because no entity could be made of them. */
  readonly unreadable: number
}

/** One decision as it stands in the log, in the order of its keys. */
export interface DecisionRecord {
  readonly seq: number
  readonly time: string
  /** `policy`: policies determined it · `default`: none did · `failure`: none could be asked · `shortcut`: none was asked. */
  readonly by: 'policy' | 'default' | 'failure' | 'shortcut'
  readonly result: 'allow' | 'deny'
  readonly who?: string
  readonly workload?: string
  readonly action?: string
  readonly object?: string
  /** The part of the context that the log was told to keep, entities as text. */
  readonly context?: Readonly<Record<string, string | number | boolean>>
  readonly reasons?: readonly string[]
  /** Policies that failed. Their messages stay out: they may quote data. */
  readonly errors?: readonly string[]
  readonly failure?: string
  readonly shortcut?: string
  readonly obligations?: readonly string[]
  readonly policyVersion: string
  /** Left out for our own compiled policies. */
  readonly engine?: string
  /** Left out for the process's own requests. */
  readonly via?: string
  /** Left out for decisions on one object. */
  readonly rows?: LoggedRows
  readonly traceId?: string
}

const MAX_TEXT = 256

/** Writes records as lines. Text is put together by hand: objects made for `JSON.stringify` cost several times as much. */
export class RecordWriter {
  readonly #contextKeys: readonly string[]
  #timeMs = Number.NaN
  #time = ''
  /** Most records follow one with the same. */
  #reason = ''
  #reasonText = list('reasons', [''])
  #version = ''
  #versionText = field('policyVersion', '')

  constructor(contextKeys: readonly string[]) {
    this.#contextKeys = contextKeys
  }

  /**
   * The line of an entry: identities, ids of policies and codes. Of the context only `workload` and what was named, of error
   * messages nothing: what a log holds, everybody who reads logs knows.
   */
  line(seq: number, { timeMs, request, decision, shortcut, via, rows, traceId }: DecisionEntry): string {
    const { reasons, errors, failure, obligations } = decision
    const [workload = '', context = ''] = this.#contextTexts(request?.context)
    let by: DecisionRecord['by'] = reasons.length > 0 ? 'policy' : 'default'
    if (failure !== undefined) by = 'failure'
    if (shortcut !== undefined) by = 'shortcut'
    let line = `{"seq":${seq},"time":"${this.time(timeMs)}","by":"${by}","result":"${decision.decision}"`
    line += uidField('who', request?.principal)
    line += workload
    line += uidField('action', request?.action)
    line += uidField('object', request?.resource)
    line += context
    if (reasons.length > 0) line += this.#reasonsField(reasons)
    if (errors.length > 0)
      line += list(
        'errors',
        errors.map(({ policyId }) => policyId),
      )
    if (failure !== undefined) line += field('failure', failure.code)
    if (shortcut !== undefined) line += field('shortcut', cut(shortcut))
    if (obligations.length > 0)
      line += list(
        'obligations',
        obligations.map(({ name, value }) => `${name}=${value}`),
      )
    line += this.#versionField(decision.policyVersion)
    if (decision.engine !== 'compiled') line += field('engine', decision.engine)
    if (via !== undefined) line += field('via', cut(via))
    if (rows !== undefined) line += `,"rows":${JSON.stringify({ ...rows, kept: rows.kept.map(cut) })}`
    if (traceId !== undefined) line += field('traceId', cut(traceId))
    return `${line}}\n`
  }

  /** ISO 8601. Most records of a turn share their millisecond. */
  time(timeMs: number): string {
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs
      this.#time = new Date(timeMs).toISOString()
    }
    return this.#time
  }

  #reasonsField(reasons: readonly string[]): string {
    const [first = ''] = reasons
    if (reasons.length > 1) return list('reasons', reasons)
    if (first !== this.#reason) {
      this.#reason = first
      this.#reasonText = list('reasons', reasons)
    }
    return this.#reasonText
  }

  #versionField(version: string): string {
    if (version !== this.#version) {
      this.#version = version
      this.#versionText = field('policyVersion', version)
    }
    return this.#versionText
  }

  /** The workload, and what was named of the rest. */
  #contextTexts(input: AuthzRequest['context']): readonly string[] {
    return input instanceof KnownContext
      ? KnownContext.texts(input, this, (known) => this.#textsOf(known))
      : this.#textsOf(objectContext(input))
  }

  #textsOf(context: Readonly<Record<string, unknown>> | undefined): readonly string[] {
    return context === undefined
      ? []
      : [uidField('workload', context['workload']), this.#contextField(context)]
  }

  #contextField(context: Readonly<Record<string, unknown>>): string {
    let inside = ''
    for (const key of this.#contextKeys) {
      const value = Object.hasOwn(context, key) ? plainOf(context[key]) : undefined
      if (value === undefined) continue
      inside += `${inside === '' ? '' : ','}${quoted(key)}:${typeof value === 'string' ? quoted(value) : `${value}`}`
    }
    return inside === '' ? '' : `,"context":{${inside}}`
  }
}

/** Neither quotes, backslashes nor control characters, and no surrogate that could stand alone: JSON as it is. */
const PLAIN = /^[ !\u{23}-\u{5b}\u{5d}-\u{d7ff}\u{e000}-\u{ffff}]*$/u

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function field(name: string, text: string): string {
  return `,"${name}":${quoted(text)}`
}

function list(name: string, texts: readonly string[]): string {
  const [first = ''] = texts
  return `,"${name}":${texts.length === 1 ? `[${quoted(first)}]` : JSON.stringify(texts)}`
}

/** An identity as text in JSON; nothing when it is none. */
function uidField(name: string, value: unknown): string {
  if (value instanceof KnownUid) return `,"${name}":${KnownUid.text(value, uidJson)}`
  const uid = uidOf(value)
  return uid === undefined ? '' : `,"${name}":${uidJson(uid)}`
}

function uidJson(uid: { readonly type: string; readonly id: string }): string {
  const type = cut(uid.type)
  const id = cut(uid.id)
  if (PLAIN.test(type) && PLAIN.test(id)) return `"${type}::\\"${id}\\""`
  return JSON.stringify(`${type}::${JSON.stringify(id)}`)
}

/** Context as an object; a text is parsed, and left out when it cannot be. */
function objectContext(context: AuthzRequest['context']): Readonly<Record<string, unknown>> | undefined {
  if (typeof context !== 'string') return context
  try {
    const value: unknown = JSON.parse(context)
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function plainOf(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'boolean') return value
  return typeof value === 'bigint' ? `${value}` : (uidText(value) ?? argumentOf(value))
}

/** The text inside `{"__extn":{"fn":"datetime","arg":"2026-01-01"}}`: enough where the schema knows the type. */
function argumentOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('__extn' in value)) return undefined
  const { arg } = (value.__extn ?? {}) as { readonly arg?: unknown }
  return typeof arg === 'string' ? cut(arg) : undefined
}

/** `Type::"id"` of whatever came in as an identity; undefined when it is none. */
function uidText(value: unknown): string | undefined {
  const uid = uidOf(value)
  return uid === undefined ? undefined : `${cut(uid.type)}::${JSON.stringify(cut(uid.id))}`
}

function uidOf(value: unknown): { readonly type: string; readonly id: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const inside = '__entity' in value ? value.__entity : value
  if (typeof inside !== 'object' || inside === null) return undefined
  const { type, id } = inside as { readonly type?: unknown; readonly id?: unknown }
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : undefined
}

/** A caller chooses the length of what is asked, not the size of the log. */
function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…(${text.length})`
}
