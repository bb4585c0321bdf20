import { AuthzError } from '../errors.ts'
import type { PolicyContent, PolicyText } from './policy-content.ts'

/** What a bundle says about itself. */
export interface BundleManifest {
  /** Which policies these are: a holder takes bundles of its own name only. */
  readonly name: string
  /** Goes up with every change. A holder never goes back. */
  readonly version: number
  /** When it was signed, wall clock milliseconds: its age counts from here. */
  readonly issuedAtMs: number
}

/** Policies ready to travel. */
export interface Bundle extends BundleManifest {
  readonly content: PolicyContent
}

const FORMAT = 'breakwater-authz-bundle-1'
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The bytes of a bundle: JSON, the same for the same content.
 *
 * @throws `BW_AUTHZ_BUNDLE_REFUSED` for a name that is not lower-case words, or a version below 1.
 */
export function writeBundle({ name, version, issuedAtMs, content }: Bundle): Uint8Array {
  const { policies, schema, entities } = content
  requireManifest({ name, version, issuedAtMs })
  const json = { format: FORMAT, name, version, issuedAtMs, policies, schema, entities }
  return new TextEncoder().encode(`${JSON.stringify(json, null, 1)}\n`)
}

/**
 * Reads the bytes of a bundle. Says nothing about who wrote them: verify first.
 *
 * @throws `BW_AUTHZ_BUNDLE_REFUSED`.
 */
export function readBundle(bytes: Uint8Array): Bundle {
  const json = parsed(bytes)
  if (json['format'] !== FORMAT) throw refusedBundle(`not a bundle of the format ${FORMAT}`)
  const { name, version, issuedAtMs, schema, entities } = json
  if (typeof name !== 'string' || typeof version !== 'number' || typeof issuedAtMs !== 'number')
    throw refusedBundle('name, version or issuedAtMs is missing')
  requireManifest({ name, version, issuedAtMs })
  for (const text of [schema, entities]) {
    if (text !== undefined && typeof text !== 'string') throw refusedBundle('schema and entities are texts')
  }
  return {
    name,
    version,
    issuedAtMs,
    content: {
      policies: policiesOf(json['policies']),
      ...(typeof schema === 'string' && { schema }),
      ...(typeof entities === 'string' && { entities }),
    },
  }
}

/** `BW_AUTHZ_BUNDLE_REFUSED` with a reason. */
export function refusedBundle(message: string, cause?: unknown): AuthzError {
  return new AuthzError('BW_AUTHZ_BUNDLE_REFUSED', `the bundle is refused: ${message}`, { cause })
}

function policiesOf(value: unknown): readonly PolicyText[] {
  if (!Array.isArray(value) || value.length === 0) throw refusedBundle('there are no policies in it')
  return (value as readonly unknown[]).map((policy) => {
    const { file, text } = (policy ?? {}) as { readonly file?: unknown; readonly text?: unknown }
    if (typeof file !== 'string' || typeof text !== 'string')
      throw refusedBundle('a policy needs a file and a text')
    return { file, text }
  })
}

function requireManifest({ name, version, issuedAtMs }: BundleManifest): void {
  if (!NAME.test(name)) throw refusedBundle(`the name ${JSON.stringify(name)} is not lower-case words`)
  if (!Number.isSafeInteger(version) || version < 1)
    throw refusedBundle(`version ${version} is not a whole number from 1`)
  if (!Number.isSafeInteger(issuedAtMs) || issuedAtMs < 0)
    throw refusedBundle(`issuedAtMs ${issuedAtMs} is no time`)
}

/** JSON with an object at the top. */
export function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw refusedBundle('it is not JSON', cause)
  }
  throw refusedBundle('it is not a JSON object')
}
