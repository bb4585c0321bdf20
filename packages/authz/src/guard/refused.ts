import { codes, type AuthzErrorCode } from '../errors.ts'

/** Why a guarded request was not carried out. A value: refusals are expected. */
export class Refused {
  /** HTTP status. */
  readonly status: number
  readonly code: AuthzErrorCode

  constructor(status: number, code: AuthzErrorCode) {
    this.status = status
    this.code = code
  }
}

export function refusedWith(code: AuthzErrorCode): Refused {
  return new Refused(codes[code].status, code)
}

export function isRefused(value: unknown): value is Refused {
  return value instanceof Refused
}
