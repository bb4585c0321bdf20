import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue, ErrorSpec } from '@breakwater/core'

const caller = (status: number, fix: string): ErrorSpec => ({ fault: 'caller', retry: 'never', status, fix })

type Code =
  | 'BW_CONTROL_ADDRESS_REFUSED'
  | 'BW_CONTROL_START_FAILED'
  | 'BW_CONTROL_HOST_REFUSED'
  | 'BW_CONTROL_ORIGIN_REFUSED'
  | 'BW_CONTROL_TOKEN_REFUSED'
  | 'BW_CONTROL_ROUTE_NOT_FOUND'
  | 'BW_CONTROL_METHOD_NOT_ALLOWED'
  | 'BW_CONTROL_BODY_TOO_LARGE'
  | 'BW_CONTROL_BODY_INVALID'
  | 'BW_CONTROL_TARGET_MISSING'
  | 'BW_CONTROL_SWITCHED_OFF'
  | 'BW_CONTROL_EJECTION_REFUSED'
  | 'BW_CONTROL_RELOAD_REFUSED'
  | 'BW_CONTROL_BUNDLE_REFUSED'
  | 'BW_CONTROL_INTERNAL'

const specs: Readonly<Record<Code, ErrorSpec>> = {
  BW_CONTROL_ADDRESS_REFUSED: caller(500, 'Listen on 127.0.0.1, ::1 or localhost.'),
  BW_CONTROL_START_FAILED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Choose a free port with admin.port, or stop the process that holds it.',
  },
  BW_CONTROL_HOST_REFUSED: caller(421, 'Ask by a loopback name: 127.0.0.1, [::1] or localhost.'),
  BW_CONTROL_ORIGIN_REFUSED: caller(403, 'Ask from a tool on this machine, not from a page of another site.'),
  BW_CONTROL_TOKEN_REFUSED: caller(401, 'Send Authorization: Bearer with the token that admin.token names.'),
  BW_CONTROL_ROUTE_NOT_FOUND: caller(404, 'Choose one of the paths that GET / lists.'),
  BW_CONTROL_METHOD_NOT_ALLOWED: caller(405, 'Use a method that the Allow field names.'),
  BW_CONTROL_BODY_TOO_LARGE: caller(413, 'Send at most as much as the message says.'),
  BW_CONTROL_BODY_INVALID: caller(422, 'Send JSON as the message describes, as application/json.'),
  BW_CONTROL_TARGET_MISSING: caller(404, 'Choose a name that GET /status lists.'),
  BW_CONTROL_SWITCHED_OFF: caller(409, 'Switch the control on in the configuration.'),
  BW_CONTROL_EJECTION_REFUSED: caller(409, 'Bring another endpoint back first, or raise maxEjectedRatio.'),
  BW_CONTROL_RELOAD_REFUSED: caller(422, 'Repair the configuration where the problems say, then reload.'),
  BW_CONTROL_BUNDLE_REFUSED: caller(
    422,
    'Push a bundle that is whole, young, signed by a trusted key, of a newer version, and knows every action of the routes.',
  ),
  BW_CONTROL_INTERNAL: {
    fault: 'breakwater',
    retry: 'if-idempotent',
    status: 500,
    fix: 'Read the log of the gateway under the trace id.',
  },
}

/** Everything the admin API refuses. */
export const errors: ErrorCatalogue<Readonly<Record<Code, ErrorSpec>>> = defineErrors(specs)
