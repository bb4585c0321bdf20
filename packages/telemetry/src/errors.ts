import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue } from '@breakwater/core'

const specs = {
  BW_TELEMETRY_METRIC_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Correct the definition of the metric at the place where it is registered.',
  },
  BW_TELEMETRY_OPTIONS_INVALID: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Correct the named option where the log or the metric is opened.',
  },
  BW_TELEMETRY_SINK_UNAVAILABLE: {
    fault: 'breakwater',
    retry: 'never',
    status: 500,
    fix: 'Name another file with telemetry.accessLog.to, or make this one writable for this user.',
  },
} as const

/** Everything that this package throws on purpose. All of it at construction; nothing on the hot path throws. */
export const errors: ErrorCatalogue<typeof specs> = defineErrors(specs)
