import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import { TestIssuer } from './test-issuer.ts'

const KEY_FILE = 'private.pem'

/**
 * The test issuer whose key is kept in `folder`; the key is made when there is none (file mode 0600, folder 0700). Whoever opens the
 * folder first makes it, also when several do at once; all others find that one. Blocks for two small files.
 *
 * @throws `BW_GATEWAY_START_FAILED` when the key can be neither read nor made.
 */
export function openTestIssuer(folder: string, name?: string): TestIssuer {
  const file = join(folder, KEY_FILE)
  try {
    return new TestIssuer(readKey(file) ?? makeKey(folder, file), name)
  } catch (cause) {
    throw errors.BW_GATEWAY_START_FAILED(
      `the key of the test issuer in ${folder} cannot be used: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** A link appears whole or not at all, and never in place of a key that is there. */
function makeKey(folder: string, file: string): string {
  makeFolder(folder, 0o700)
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    writeFileSync(draft, TestIssuer.create().privateKey, { mode: 0o600, flag: 'wx' })
    linkSync(draft, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readFileSync(file, 'utf8')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
