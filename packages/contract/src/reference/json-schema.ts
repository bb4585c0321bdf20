import { z } from 'zod'

import { fieldInfo } from '../config/fields.ts'
import { gatewaySchema } from '../config/schema/schema.ts'

/** The configuration file as JSON Schema, draft 7, for editors. Made from the schema that reads the file. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(gatewaySchema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const info = fieldInfo(zodSchema)
      if (info?.range !== undefined)
        jsonSchema.description = `${jsonSchema.description ?? ''} Range: ${info.range}.`.trim()
      if (isEmptyMapping(jsonSchema.default)) delete jsonSchema.default
    },
  })
  const { $schema, ...rest } = schema
  return { $schema, title: 'Breakwater configuration', ...rest }
}

function isEmptyMapping(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  )
}
