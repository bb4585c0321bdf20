import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { AuthzError } from '../errors.ts'
import { parsed, refusedBundle } from './bundle.ts'

/*
 * The envelope is DSSE 1.0 (github.com/secure-systems-lab/dsse): what is signed are the bytes and what they claim to be, and
 * nothing has to be written the same way twice. Ed25519 (RFC 8032).
 */
const PAYLOAD_TYPE = 'application/vnd.breakwater.authz-bundle+json'

/** Short name of a public key: the first 16 hex digits of the SHA-256 of its DER form. */
export function keyIdOf(key: KeyObject): string {
  const pub = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(pub.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

/**
 * Signs the bytes of a bundle.
 *
 * @throws `BW_AUTHZ_KEY_INVALID` for a key that is no private Ed25519 key.
 */
export function signBundle(bundle: Uint8Array, privateKey: KeyObject): Uint8Array {
  requireEd25519(privateKey, 'private')
  const sig = sign(null, preAuthEncoding(bundle), privateKey).toString('base64')
  const envelope = {
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(bundle).toString('base64'),
    signatures: [{ keyid: keyIdOf(privateKey), sig }],
  }
  return new TextEncoder().encode(`${JSON.stringify(envelope)}\n`)
}

/** A bundle's bytes and the key that vouches for them. */
export interface VerifiedBundle {
  readonly bytes: Uint8Array
  readonly keyId: string
}

/**
 * Checks that one of the trusted keys signed, and only then hands out what was signed.
 *
 * @throws `BW_AUTHZ_BUNDLE_REFUSED`; `BW_AUTHZ_KEY_INVALID` for a trusted key that is no public Ed25519 key.
 */
export function verifyBundle(signed: Uint8Array, trustedKeys: readonly KeyObject[]): VerifiedBundle {
  for (const key of trustedKeys) requireEd25519(key, 'public')
  const { payloadType, payload, signatures } = parsed(signed)
  if (payloadType !== PAYLOAD_TYPE || typeof payload !== 'string' || !Array.isArray(signatures)) {
    throw refusedBundle('it is not a signed bundle')
  }
  const bytes = Buffer.from(payload, 'base64')
  const message = preAuthEncoding(bytes)
  for (const one of signatures as readonly unknown[]) {
    const { sig } = (one ?? {}) as { readonly sig?: unknown }
    if (typeof sig !== 'string') continue
    // The key id is a hint that anybody may write: every trusted key is tried.
    const signer = trustedKeys.find((key) => verify(null, message, key, Buffer.from(sig, 'base64')))
    if (signer !== undefined) return { bytes, keyId: keyIdOf(signer) }
  }
  throw refusedBundle('no trusted key signed it')
}

/** DSSE's pre-authentication encoding. */
function preAuthEncoding(payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

function requireEd25519(key: KeyObject, type: 'private' | 'public'): void {
  if (key.type === type && key.asymmetricKeyType === 'ed25519') return
  throw new AuthzError(
    'BW_AUTHZ_KEY_INVALID',
    `a ${key.asymmetricKeyType ?? ''} ${key.type} key is no ${type} Ed25519 key`,
  )
}
