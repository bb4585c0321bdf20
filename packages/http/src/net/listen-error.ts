import { errors } from '../errors.ts'
import type { HttpError } from '../errors.ts'
import type { ListenOptions } from '../transport.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'that address is not one of this machine',
  ENOTFOUND: 'that name cannot be resolved',
  ENOTSUP: 'this platform cannot share ports (reusePort)',
  EINVAL: 'the system does not accept that address or option',
}

/** What the operating system says about a listener, in words. */
export function listenError(options: ListenOptions, cause: NodeJS.ErrnoException): HttpError {
  const code = cause.code ?? 'unknown'
  const reason = REASONS[code] ?? cause.message
  const { host, port } = options
  return errors.BW_HTTP_LISTEN_FAILED(`cannot listen on ${host}:${port}: ${reason} (${code})`, {
    details: { host, port, code },
    cause,
  })
}
