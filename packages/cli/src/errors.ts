import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue, ErrorSpec } from '@breakwater/core'

type Code =
  | 'BW_CLI_PORT_IN_USE'
  | 'BW_CLI_SERVICE_FAILED'
  | 'BW_CLI_ADMIN_UNREACHABLE'
  | 'BW_CLI_ADMIN_REFUSED'

const breakwater = (fix: string): ErrorSpec => ({ fault: 'breakwater', retry: 'never', status: 500, fix })

/** Why a command gives up. */
export const errors: ErrorCatalogue<Readonly<Record<Code, ErrorSpec>>> = defineErrors({
  BW_CLI_PORT_IN_USE: breakwater('Stop what listens there, or choose another port.'),
  BW_CLI_SERVICE_FAILED: breakwater('Read the lines of the service above, repair it, and start again.'),
  BW_CLI_ADMIN_UNREACHABLE: breakwater(
    'Start the gateway with breakwater up, or name its admin address with --admin.',
  ),
  BW_CLI_ADMIN_REFUSED: breakwater('Set the variable or write the file that admin.token refers to.'),
})
