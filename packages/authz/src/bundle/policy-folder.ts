import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AuthzError } from '../errors.ts'
import type { PolicyContent } from './policy-content.ts'

/**
 * Reads a folder: every `*.cedar` in the order of names, the one `*.cedarschema`, and `entities.json`. Other files are none of
 * its business.
 *
 * @throws `BW_AUTHZ_POLICY_INVALID` when there is no policy file or more than one schema, or the folder cannot be read.
 */
export function readPolicyFolder(folder: string): PolicyContent {
  const names = namesIn(folder)
  const policies = names.filter((name) => name.endsWith('.cedar'))
  const schemas = names.filter((name) => name.endsWith('.cedarschema'))
  if (policies.length === 0) throw invalid(`${folder}: there is no .cedar file`)
  if (schemas.length > 1)
    throw invalid(`${folder}: ${schemas.length} schemas (${schemas.join(', ')}), at most 1`)
  const [schema] = schemas
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return {
    policies: policies.map((file) => ({ file, text: read(file) })),
    ...(schema !== undefined && { schema: read(schema) }),
    ...(names.includes('entities.json') && { entities: read('entities.json') }),
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    throw new AuthzError('BW_AUTHZ_POLICY_INVALID', `${folder}: the folder cannot be read`, { cause })
  }
}

function invalid(message: string): AuthzError {
  return new AuthzError('BW_AUTHZ_POLICY_INVALID', message)
}
