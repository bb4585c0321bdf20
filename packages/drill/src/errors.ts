import { defineErrors } from '@breakwater/core'

import type { ErrorCatalogue, ErrorSpec } from '@breakwater/core'

type DrillErrorCode =
  | 'BW_DRILL_DEFINITION_INVALID'
  | 'BW_DRILL_NOT_FOUND'
  | 'BW_DRILL_OPTIONS_INVALID'
  | 'BW_DRILL_BUDGET_EXCEEDED'
  | 'BW_DRILL_DISPOSAL_FAILED'
  | 'BW_DRILL_PROCESS_FAILED'

/** What this package throws on purpose. */
export const errors: ErrorCatalogue<Readonly<Record<DrillErrorCode, ErrorSpec>>> = defineErrors({
  BW_DRILL_DEFINITION_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 500,
    fix: 'Correct the definition of the threat, control or drill that the message names.',
  },
  BW_DRILL_NOT_FOUND: {
    fault: 'caller',
    retry: 'never',
    status: 404,
    fix: 'Run: breakwater threats list, and use one of the drill ids that it shows.',
  },
  BW_DRILL_OPTIONS_INVALID: {
    fault: 'caller',
    retry: 'never',
    status: 400,
    fix: 'Correct the option that the message names.',
  },
  BW_DRILL_BUDGET_EXCEEDED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Find out what the drill waits for, or raise its budgetMs.',
  },
  BW_DRILL_DISPOSAL_FAILED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Make the disposal of the drill’s world safe to call in every state.',
  },
  BW_DRILL_PROCESS_FAILED: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Read the last lines of the process in the message; start it by hand with the same arguments.',
  },
})
