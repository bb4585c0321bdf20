import type { FieldList } from './fields.ts'

/** How the end of a received body is found. `close`: at the end of the connection (responses only). */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close'

/** How a body that is sent is framed. `none` also for answers that must not have one (HEAD, 204, 304). */
export type BodyFraming =
  | {
      readonly kind: 'none'
      /** Content-Length to announce although no body follows (HEAD, 304). */ readonly declaredBytes?: number
    }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }

/** The head of a request that passed every check of the parser. */
export interface RequestHead {
  /** Case-sensitive token. Never `CONNECT`. */
  readonly method: string
  /** The request target as received: origin form, absolute form, or `*`. */
  readonly target: string
  /** The path of the target, still percent-encoded; `*` for `OPTIONS *`; `/` when an absolute target has none. */
  readonly path: string
  /** What follows the first `?` of the target, without it; undefined when there is none. */
  readonly query: string | undefined
  /** Host and port that the client asked for, from the target if absolute, else from Host. Empty only in HTTP/1.0. */
  readonly authority: string
  /** Scheme of an absolute-form target; undefined otherwise. Says nothing about TLS. */
  readonly scheme: string | undefined
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  readonly minorVersion: number
  readonly fields: FieldList
  /** Decided by framing fields alone, never by the method. */
  readonly body: 'none' | 'length' | 'chunked'
  /** Content-Length; 0 without a body, -1 when chunked. */
  readonly contentLength: number
  /** Whether the client allows another request on this connection. */
  readonly keepAlive: boolean
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean
  /** Protocol asked for in `Upgrade`, in lower case, when the request may upgrade at all. */
  readonly upgrade: string | undefined
}

/** The head of a response that passed every check of the parser. */
export interface ResponseHead {
  /** 100–999. */
  readonly status: number
  /** Reason phrase as received; may be empty. */
  readonly reason: string
  readonly minorVersion: number
  readonly fields: FieldList
  /** `none` also for answers to HEAD, 204 and 304, whatever Content-Length they carry. */
  readonly body: BodyKind
  /** Length of the body that follows; 0 for `none`, -1 for `chunked` and `close`. */
  readonly contentLength: number
  /** Content-Length as the upstream wrote it, also where no body follows (HEAD, 304); -1 when absent. */
  readonly declaredLength: number
  /** Whether the connection can carry another exchange. */
  readonly keepAlive: boolean
}

/** A request to send. Framing and connection fields in `fields` are ignored: the engine writes them itself. */
export interface RequestInit {
  readonly method: string
  /** Origin form, or `*`. */
  readonly target: string
  /** Value of the Host field. */
  readonly authority: string
  readonly fields: FieldList
  /**
   * Lines of further fields, each behind a CR LF: for what the sender says itself on every request. Sent as they are, so nothing
   * may stand here but what was checked or made.
   */
  readonly ownLines?: string
  readonly framing: BodyFraming
  /** Ask for this protocol. The answer may be 101, then `onUpgrade` follows. */
  readonly upgrade?: string | undefined
}
