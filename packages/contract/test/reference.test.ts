import { describe, expect, test } from 'vitest'

import { errors } from '../src/index.ts'
import { configJsonSchema, configurationPage, errorsPage } from '../src/reference/index.ts'

describe('the JSON Schema for editors', () => {
  const schema = configJsonSchema()

  test('is draft 7, allows no unknown keys and speaks as the file does', () => {
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#')
    expect(schema['additionalProperties']).toBe(false)
    expect(schema['required']).toEqual(['listeners', 'upstreams', 'routes'])
    const text = JSON.stringify(schema)
    expect(text).toContain('"default":"15s"')
    expect(text).not.toContain('timeoutMs')
  })

  test('describes every setting', () => {
    const undescribed: string[] = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties } = node as {
        readonly properties?: Readonly<Record<string, { readonly description?: string }>>
      }
      for (const [key, property] of Object.entries(properties ?? {})) {
        const isPlainPart = ['serve', 'upstream', 'status', 'contentType', 'body', 'env', 'file'].includes(
          key,
        )
        if (property.description === undefined && !isPlainPart) undescribed.push(`${path}.${key}`)
      }
      for (const [key, inner] of Object.entries(node)) visit(inner, `${path}.${key}`)
    }
    visit(schema, '')
    expect(undescribed).toEqual([])
  })
})

describe('the reference page of the configuration', () => {
  const page = configurationPage()

  test('has a row with kind, range, default and meaning for a setting', () => {
    expect(page).toContain(
      '| `timeout` | duration | 1ms to 24h, or false | `15s` | From the head of the request to the head of the answer, all tries included. |',
    )
    expect(page).toContain('## `upstreams.<name>.breaker` (control)')
  })
})

describe('the page of errors', () => {
  test('has a heading for every code, with fault, retry, status and fix', () => {
    const page = errorsPage({ contract: errors })
    for (const code of Object.keys(errors)) expect(page).toContain(`### ${code}\n`)
    expect(page).toContain('Fault: caller · retry: never · status: 422')
  })

  // Codes are in other people's programs: this list only grows.
  test('never loses a code of this package', () => {
    expect(Object.keys(errors).sort()).toEqual([
      'BW_CONFIG_ACCESS_UNDECLARED',
      'BW_CONFIG_FILE_MISSING',
      'BW_CONFIG_KEY_DUPLICATE',
      'BW_CONFIG_KEY_MISSING',
      'BW_CONFIG_KEY_UNKNOWN',
      'BW_CONFIG_MODULE_FAILED',
      'BW_CONFIG_REFERENCE_MISSING',
      'BW_CONFIG_ROUTE_CONFLICT',
      'BW_CONFIG_SECRET_MISSING',
      'BW_CONFIG_SYNTAX_INVALID',
      'BW_CONFIG_VALUES_CONTRADICTORY',
      'BW_CONFIG_VALUE_INVALID',
    ])
  })
})
