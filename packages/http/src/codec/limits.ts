import { checkNumbers } from '../internal/check-numbers.ts'

/** What to do with a path that two parsers may read differently: refuse with 400, or pass it on unchanged. */
export type Ambiguity = 'refuse' | 'allow'

/** Each default is `refuse`. */
export interface PathPolicy {
  /** `%2f` and `%5c`, in any case. */
  readonly encodedSlash?: Ambiguity
  /** A segment that is `.` or `..`, also written with `%2e`, also with parameters as in `..;x`. */
  readonly dotSegments?: Ambiguity
  /** A raw `\`. */
  readonly backslash?: Ambiguity
  /** `%` without two hex digits, and `%00` to `%1f` and `%7f`. */
  readonly badPercent?: Ambiguity
  /** An empty segment, as in `//a`. Default `allow`: common in honest traffic. */
  readonly emptySegments?: Ambiguity
}

/** Bounds of one message, each 0 or more. Everything in bytes as they are on the wire, CR LF included. */
export interface MessageLimits {
  /** Default 8192. Above: 414. */
  readonly maxTargetBytes?: number
  /** Start line and fields together. Default 16384. Above: 431. */
  readonly maxHeadBytes?: number
  /** Default 8192. Above: 431. */
  readonly maxFieldLineBytes?: number
  /** Default 100. Above: 431. */
  readonly maxFields?: number
  /** Default: no limit. Above: 413, before the body when Content-Length says so. */
  readonly maxBodyBytes?: number
  /** Extensions of one chunk. Default 256. */
  readonly maxChunkExtensionBytes?: number
  /** Extensions of all chunks of a message. Default 4096. */
  readonly maxTotalExtensionBytes?: number
  /** Trailer section. Default 4096. Above: 431. */
  readonly maxTrailerBytes?: number
  readonly path?: PathPolicy
}

/** Limits with every default filled in. */
export interface ResolvedLimits {
  readonly maxTargetBytes: number
  readonly maxHeadBytes: number
  readonly maxFieldLineBytes: number
  readonly maxFields: number
  readonly maxBodyBytes: number
  readonly maxChunkExtensionBytes: number
  readonly maxTotalExtensionBytes: number
  readonly maxTrailerBytes: number
  readonly refuseEncodedSlash: boolean
  readonly refuseDotSegments: boolean
  readonly refuseBackslash: boolean
  readonly refuseBadPercent: boolean
  readonly refuseEmptySegments: boolean
}

/** @throws `BW_HTTP_OPTIONS_INVALID` listing every limit that is not a number, 0 or more. */
export function resolveLimits(limits: MessageLimits = {}): ResolvedLimits {
  const path = limits.path ?? {}
  const resolved: ResolvedLimits = {
    maxTargetBytes: limits.maxTargetBytes ?? 8192,
    maxHeadBytes: limits.maxHeadBytes ?? 16_384,
    maxFieldLineBytes: limits.maxFieldLineBytes ?? 8192,
    maxFields: limits.maxFields ?? 100,
    maxBodyBytes: limits.maxBodyBytes ?? Infinity,
    maxChunkExtensionBytes: limits.maxChunkExtensionBytes ?? 256,
    maxTotalExtensionBytes: limits.maxTotalExtensionBytes ?? 4096,
    maxTrailerBytes: limits.maxTrailerBytes ?? 4096,
    refuseEncodedSlash: path.encodedSlash !== 'allow',
    refuseDotSegments: path.dotSegments !== 'allow',
    refuseBackslash: path.backslash !== 'allow',
    refuseBadPercent: path.badPercent !== 'allow',
    refuseEmptySegments: path.emptySegments === 'refuse',
  }
  checkNumbers('limits', resolved, () => true)
  return resolved
}
