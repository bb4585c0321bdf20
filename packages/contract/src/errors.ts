import { defineErrors } from '@breakwater/core'
import type { ErrorCatalogue, ErrorSpec } from '@breakwater/core'

const invalid = (fix: string): ErrorSpec => ({ fault: 'caller', retry: 'never', status: 422, fix })

const specs = {
  BW_CONFIG_FILE_MISSING: invalid('Name an existing file with --config, or create breakwater.yaml here.'),
  BW_CONFIG_SYNTAX_INVALID: invalid('Correct the YAML at the place that is named.'),
  BW_CONFIG_KEY_UNKNOWN: invalid('Write the key as it is guessed, or remove it.'),
  BW_CONFIG_KEY_DUPLICATE: invalid('Keep one of the two keys.'),
  BW_CONFIG_KEY_MISSING: invalid('Add the key that is named.'),
  BW_CONFIG_VALUE_INVALID: invalid('Write a value of the kind and range that is named.'),
  BW_CONFIG_VALUES_CONTRADICTORY: invalid('Change one of the two settings that are named.'),
  BW_CONFIG_REFERENCE_MISSING: invalid('Write a name that exists, or add what it names.'),
  BW_CONFIG_ROUTE_CONFLICT: invalid('Make one of the two routes more specific, or remove it.'),
  BW_CONFIG_ACCESS_UNDECLARED: invalid('Say what the route asks for, or that it is public.'),
  BW_CONFIG_MODULE_FAILED: invalid('Run the configuration module with node and repair what it reports.'),
  BW_CONFIG_SECRET_MISSING: invalid('Set the variable or write the file that the configuration refers to.'),
} as const

/** What can be wrong with a configuration. The codes of single problems and of the whole. */
export const errors: ErrorCatalogue<typeof specs> = defineErrors(specs)

export type ConfigProblemCode = keyof typeof specs
