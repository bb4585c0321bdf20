const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the other side reset the connection',
  ETIMEDOUT: 'no answer from that address',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
  ENOTFOUND: 'that name cannot be resolved',
  EAI_AGAIN: 'the name service does not answer',
  EMFILE: 'this process has no file descriptors left',
  EADDRNOTAVAIL: 'this machine has no free local port left',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain ends in one that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified: an issuer is missing',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

/** Why a connection could not be made, in words; the system's error is the cause. */
export function connectError(cause: NodeJS.ErrnoException): Error {
  const { code } = cause
  const reason = code === undefined ? undefined : REASONS[code]
  // A name with several addresses fails with an AggregateError, whose message is empty.
  const text = reason === undefined ? cause.message || 'no address of that name accepts connections' : reason
  return new Error(code === undefined ? text : `${text} (${code})`, { cause })
}
