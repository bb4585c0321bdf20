import { defineErrors } from '@breakwater/core'
import type { BreakwaterError, ErrorCatalogue, ErrorSpec } from '@breakwater/core'

const refusal = (fix: string, status = 400): ErrorSpec => ({ fault: 'caller', retry: 'never', status, fix })

const upstream = (status: number, fix: string): ErrorSpec => ({
  fault: 'upstream',
  retry: 'if-idempotent',
  status,
  fix,
})

type Code =
  | 'BW_HTTP_OPTIONS_INVALID'
  | 'BW_HTTP_STATE_INVALID'
  | 'BW_HTTP_LISTEN_FAILED'
  | 'BW_HTTP_REQUEST_LINE_INVALID'
  | 'BW_HTTP_METHOD_INVALID'
  | 'BW_HTTP_METHOD_REFUSED'
  | 'BW_HTTP_TARGET_INVALID'
  | 'BW_HTTP_TARGET_AMBIGUOUS'
  | 'BW_HTTP_TARGET_TOO_LONG'
  | 'BW_HTTP_VERSION_INVALID'
  | 'BW_HTTP_VERSION_UNSUPPORTED'
  | 'BW_HTTP_STATUS_LINE_INVALID'
  | 'BW_HTTP_LINE_END_INVALID'
  | 'BW_HTTP_FIELD_INVALID'
  | 'BW_HTTP_HEAD_TOO_LARGE'
  | 'BW_HTTP_HOST_INVALID'
  | 'BW_HTTP_FRAMING_AMBIGUOUS'
  | 'BW_HTTP_LENGTH_INVALID'
  | 'BW_HTTP_TRANSFER_CODING_INVALID'
  | 'BW_HTTP_CHUNK_INVALID'
  | 'BW_HTTP_TRAILER_INVALID'
  | 'BW_HTTP_BODY_TOO_LARGE'
  | 'BW_HTTP_EXPECTATION_FAILED'
  | 'BW_HTTP_UPGRADE_INVALID'
  | 'BW_HTTP_REQUEST_INCOMPLETE'
  | 'BW_HTTP_REQUEST_TIMEOUT'
  | 'BW_HTTP_CLIENT_GONE'
  | 'BW_HTTP_CLIENT_STALLED'
  | 'BW_HTTP_RESPONSE_INVALID'
  | 'BW_HTTP_RESPONSE_INCOMPLETE'
  | 'BW_HTTP_UPSTREAM_UNREACHABLE'
  | 'BW_HTTP_UPSTREAM_CLOSED'
  | 'BW_HTTP_UPSTREAM_CONNECT_TIMEOUT'
  | 'BW_HTTP_UPSTREAM_FIRST_BYTE_TIMEOUT'
  | 'BW_HTTP_UPSTREAM_IDLE_TIMEOUT'
  | 'BW_HTTP_POOL_FULL'
  | 'BW_HTTP_POOL_TIMEOUT'
  | 'BW_HTTP_POOL_CLOSED'

/** Everything this package refuses, gives up on or throws. `status` is what the client of a gateway is told. */
export const errors: ErrorCatalogue<Readonly<Record<Code, ErrorSpec>>> = defineErrors({
  BW_HTTP_OPTIONS_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Correct the listed options.',
  },
  BW_HTTP_STATE_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Report this: the engine was called in an order it does not allow.',
  },
  BW_HTTP_LISTEN_FAILED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Choose a free port and an address of this machine, or stop the process that holds the port.',
  },
  BW_HTTP_REQUEST_LINE_INVALID: refusal(
    'Send a request line as in RFC 9112 §3: method, space, target, space, HTTP/1.1.',
  ),
  BW_HTTP_METHOD_INVALID: refusal('Send a method that is a token of at most 32 bytes (RFC 9110 §9.1).'),
  BW_HTTP_METHOD_REFUSED: refusal('Do not use CONNECT here: this is no forward proxy.', 501),
  BW_HTTP_TARGET_INVALID: refusal(
    'Send a target in origin, absolute or asterisk form without spaces, controls or a fragment.',
  ),
  BW_HTTP_TARGET_AMBIGUOUS: refusal(
    'Send a path without encoded slashes, dot segments, backslashes or broken percent codes.',
  ),
  BW_HTTP_TARGET_TOO_LONG: refusal('Shorten the request target, or raise maxTargetBytes.', 414),
  BW_HTTP_VERSION_INVALID: refusal('Send HTTP/1.1 or HTTP/1.0 as the version, in capitals.'),
  BW_HTTP_VERSION_UNSUPPORTED: refusal('Speak HTTP/1.1 or HTTP/1.0 on this connection.', 505),
  BW_HTTP_STATUS_LINE_INVALID: refusal('Send a status line as in RFC 9112 §4.'),
  BW_HTTP_LINE_END_INVALID: refusal('End lines with CR LF, and send neither CR nor LF alone.'),
  BW_HTTP_FIELD_INVALID: refusal(
    'Send fields as token, colon, value: no space before the colon, no folding, no controls.',
  ),
  BW_HTTP_HEAD_TOO_LARGE: refusal(
    'Send fewer or shorter fields, or raise maxHeadBytes, maxFieldLineBytes or maxFields.',
    431,
  ),
  BW_HTTP_HOST_INVALID: refusal(
    'Send exactly one Host field, equal to the authority of the target if that has one.',
  ),
  BW_HTTP_FRAMING_AMBIGUOUS: refusal(
    'Send one Content-Length or Transfer-Encoding: chunked, never both and never twice.',
  ),
  BW_HTTP_LENGTH_INVALID: refusal('Send Content-Length as decimal digits only, below 2^53.'),
  BW_HTTP_TRANSFER_CODING_INVALID: refusal(
    'Send Transfer-Encoding: chunked and nothing else, on HTTP/1.1 only.',
  ),
  BW_HTTP_CHUNK_INVALID: refusal(
    'Send chunks as in RFC 9112 §7.1: hex size, CR LF, data, CR LF; few and short extensions.',
  ),
  BW_HTTP_TRAILER_INVALID: refusal(
    'Send no framing, routing or authentication fields as trailers (RFC 9110 §6.5.1).',
  ),
  BW_HTTP_BODY_TOO_LARGE: refusal('Send a smaller body, or raise maxBodyBytes.', 413),
  BW_HTTP_EXPECTATION_FAILED: refusal('Send no expectation but 100-continue.', 417),
  BW_HTTP_UPGRADE_INVALID: refusal('Ask for an upgrade with one protocol, on HTTP/1.1, without a body.'),
  BW_HTTP_REQUEST_INCOMPLETE: refusal('Send the whole request before closing the connection.'),
  BW_HTTP_REQUEST_TIMEOUT: refusal(
    'Send the request faster, or raise the head, body-idle or byte-rate limit.',
    408,
  ),
  BW_HTTP_CLIENT_GONE: refusal('Keep the connection open until the answer is complete.', 499),
  BW_HTTP_CLIENT_STALLED: refusal('Read the answer faster, or raise writeStallTimeoutMs.', 499),
  BW_HTTP_RESPONSE_INVALID: upstream(
    502,
    'Make the upstream send a response that RFC 9112 allows; details name the rule.',
  ),
  BW_HTTP_RESPONSE_INCOMPLETE: upstream(502, 'Find out why the upstream closed in the middle of its answer.'),
  BW_HTTP_UPSTREAM_UNREACHABLE: upstream(502, 'Start the upstream, or correct its address.'),
  BW_HTTP_UPSTREAM_CLOSED: upstream(502, 'Find out why the upstream closed before it answered.'),
  BW_HTTP_UPSTREAM_CONNECT_TIMEOUT: upstream(
    504,
    'Check that the upstream accepts connections, or raise connectTimeoutMs.',
  ),
  BW_HTTP_UPSTREAM_FIRST_BYTE_TIMEOUT: upstream(
    504,
    'Find out why the upstream is slow, or raise firstByteTimeoutMs.',
  ),
  BW_HTTP_UPSTREAM_IDLE_TIMEOUT: upstream(
    504,
    'Find out why the upstream stopped in its answer, or raise idleTimeoutMs.',
  ),
  BW_HTTP_POOL_FULL: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Raise maxConnections or maxPending of the upstream, or send less.',
  },
  BW_HTTP_POOL_TIMEOUT: {
    fault: 'policy',
    retry: 'after-delay',
    status: 503,
    fix: 'Raise maxConnections or pendingTimeoutMs of the upstream, or send less.',
  },
  BW_HTTP_POOL_CLOSED: {
    fault: 'breakwater',
    retry: 'if-idempotent',
    status: 503,
    fix: 'Use another endpoint: this one is closed.',
  },
})

/** A code of this package. */
export type HttpErrorCode = Code
/** An error of this package. */
export type HttpError = BreakwaterError<HttpErrorCode>
