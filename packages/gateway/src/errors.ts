import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue, ErrorSpec } from '@breakwater/core'

type Code =
  | 'BW_GATEWAY_ROUTE_NOT_FOUND'
  | 'BW_GATEWAY_METHOD_NOT_ALLOWED'
  | 'BW_GATEWAY_TENANT_MISSING'
  | 'BW_GATEWAY_BODY_TOO_LARGE'
  | 'BW_GATEWAY_DEADLINE_INVALID'
  | 'BW_GATEWAY_DEADLINE_EXPIRED'
  | 'BW_GATEWAY_RATE_LIMITED'
  | 'BW_GATEWAY_IDEMPOTENCY_KEY_MISSING'
  | 'BW_GATEWAY_IDEMPOTENCY_KEY_INVALID'
  | 'BW_GATEWAY_IDEMPOTENCY_IN_FLIGHT'
  | 'BW_GATEWAY_IDEMPOTENCY_MISMATCH'
  | 'BW_GATEWAY_OVERLOADED'
  | 'BW_GATEWAY_QUEUE_FULL'
  | 'BW_GATEWAY_CIRCUIT_OPEN'
  | 'BW_GATEWAY_THROTTLED'
  | 'BW_GATEWAY_NO_ENDPOINT'
  | 'BW_GATEWAY_UPSTREAM_TIMEOUT'
  | 'BW_GATEWAY_COALESCED_FAILED'
  | 'BW_GATEWAY_CLIENT_GONE'
  | 'BW_GATEWAY_DRAINING'
  | 'BW_GATEWAY_START_FAILED'
  | 'BW_GATEWAY_UNAUTHENTICATED'
  | 'BW_GATEWAY_FORBIDDEN'
  | 'BW_GATEWAY_OBJECT_NOT_FOUND'
  | 'BW_GATEWAY_TENANT_MISMATCH'
  | 'BW_GATEWAY_CLAIM_MISSING'
  | 'BW_GATEWAY_OBLIGATION_UNKNOWN'
  | 'BW_GATEWAY_ANSWER_UNREADABLE'
  | 'BW_GATEWAY_ANSWER_TOO_LARGE'
  | 'BW_GATEWAY_PATH_AMBIGUOUS'
  | 'BW_GATEWAY_AUTHORIZATION_FAILED'
  | 'BW_GATEWAY_DECISION_UNRECORDED'
  | 'BW_GATEWAY_ACCESS_ENDED'
  | 'BW_GATEWAY_POLICIES_INVALID'

const caller = (status: number, fix: string, retry: ErrorSpec['retry'] = 'never'): ErrorSpec => ({
  fault: 'caller',
  retry,
  status,
  fix,
})
const policy = (status: number, fix: string): ErrorSpec => ({
  fault: 'policy',
  retry: 'after-delay',
  status,
  fix,
})
const upstream = (status: number, retry: ErrorSpec['retry'], fix: string): ErrorSpec => ({
  fault: 'upstream',
  retry,
  status,
  fix,
})

/** Everything the gateway answers by itself, or refuses to start with. */
export const errors: ErrorCatalogue<Readonly<Record<Code, ErrorSpec>>> = defineErrors({
  BW_GATEWAY_ROUTE_NOT_FOUND: caller(404, 'Check host and path, or add a route that answers them.'),
  BW_GATEWAY_METHOD_NOT_ALLOWED: caller(405, 'Use one of the methods that the Allow field names.'),
  BW_GATEWAY_TENANT_MISSING: caller(400, 'Send the tenant in the field that the route names.'),
  BW_GATEWAY_BODY_TOO_LARGE: caller(413, 'Send a smaller body, or raise maxBody of the route.'),
  BW_GATEWAY_DEADLINE_INVALID: caller(400, 'Send the milliseconds that are left as decimal digits.'),
  BW_GATEWAY_DEADLINE_EXPIRED: caller(
    504,
    'Leave the call more time, or find out where it went.',
    'if-idempotent',
  ),
  BW_GATEWAY_RATE_LIMITED: policy(429, 'Wait as long as Retry-After says, or ask for a higher rate.'),
  BW_GATEWAY_IDEMPOTENCY_KEY_MISSING: caller(400, 'Send a key that is unique to this operation.'),
  BW_GATEWAY_IDEMPOTENCY_KEY_INVALID: caller(400, 'Send a key of 1 to 255 visible characters.'),
  BW_GATEWAY_IDEMPOTENCY_IN_FLIGHT: caller(
    409,
    'Wait for the first request with this key to end, then repeat this one.',
    'after-delay',
  ),
  BW_GATEWAY_IDEMPOTENCY_MISMATCH: caller(422, 'Use a new key for a different request.'),
  BW_GATEWAY_OVERLOADED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Send less, or run more gateways.',
  },
  BW_GATEWAY_QUEUE_FULL: policy(503, 'Send less, or raise the bulkhead of the upstream.'),
  BW_GATEWAY_CIRCUIT_OPEN: upstream(
    503,
    'after-delay',
    'Find out why the upstream failed; the breaker probes it again by itself.',
  ),
  BW_GATEWAY_THROTTLED: upstream(503, 'after-delay', 'Wait: the upstream refuses most of what it gets.'),
  BW_GATEWAY_NO_ENDPOINT: upstream(
    503,
    'after-delay',
    'Start an endpoint of the upstream, or see why its checks fail.',
  ),
  BW_GATEWAY_UPSTREAM_TIMEOUT: upstream(
    504,
    'if-idempotent',
    'Find out why the upstream is slow, or raise the timeout of the route.',
  ),
  BW_GATEWAY_COALESCED_FAILED: upstream(
    502,
    'if-idempotent',
    'Try again: the call that this request shared has failed.',
  ),
  BW_GATEWAY_CLIENT_GONE: caller(499, 'Keep the connection open until the answer is complete.'),
  BW_GATEWAY_DRAINING: {
    fault: 'breakwater',
    retry: 'if-idempotent',
    status: 503,
    fix: 'Send the request again: this gateway is stopping, another one answers.',
  },
  BW_GATEWAY_START_FAILED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Repair what the message names: a free port, an address of this machine, a certificate and its key, a folder.',
  },
  BW_GATEWAY_UNAUTHENTICATED: caller(401, 'Send a token of the issuer that this gateway trusts.'),
  BW_GATEWAY_FORBIDDEN: caller(403, 'Ask whoever administers the policies for the permission.'),
  BW_GATEWAY_OBJECT_NOT_FOUND: caller(404, 'Check the id, and whether it is yours to ask for.'),
  BW_GATEWAY_TENANT_MISMATCH: caller(403, 'Name the tenant that the token was made for.'),
  BW_GATEWAY_CLAIM_MISSING: caller(403, 'Ask for a token that holds the claim that is named.'),
  BW_GATEWAY_OBLIGATION_UNKNOWN: {
    fault: 'policy',
    retry: 'never',
    status: 403,
    fix: 'Add the obligation to the route once its upstream carries it out.',
  },
  BW_GATEWAY_ANSWER_UNREADABLE: upstream(
    502,
    'never',
    'Have the upstream answer in plain JSON, whole and not encoded, or carry the obligations out itself.',
  ),
  BW_GATEWAY_ANSWER_TOO_LARGE: {
    fault: 'policy',
    retry: 'never',
    status: 502,
    fix: 'Ask for less at once, or raise maxAnswer of the route.',
  },
  BW_GATEWAY_PATH_AMBIGUOUS: caller(
    400,
    'Write the path as the route does: no capitals, doubled or closing slashes.',
  ),
  BW_GATEWAY_AUTHORIZATION_FAILED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Read the cause in the log; the decision was deny.',
  },
  BW_GATEWAY_DECISION_UNRECORDED: {
    fault: 'breakwater',
    retry: 'after-delay',
    status: 503,
    fix: 'Make the decision log writable again: nothing is allowed without a record.',
  },
  BW_GATEWAY_ACCESS_ENDED: {
    fault: 'policy',
    retry: 'never',
    status: 403,
    fix: 'Ask again with a token that counts; what was allowed before may be so no longer.',
  },
  BW_GATEWAY_POLICIES_INVALID: {
    fault: 'policy',
    retry: 'never',
    status: 500,
    fix: 'Correct the policies at the place that is named; the ones before stay in force.',
  },
})
