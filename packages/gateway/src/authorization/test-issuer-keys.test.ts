import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

import { afterAll, describe, expect, test } from 'vitest'

import { openTestIssuer } from './test-issuer-keys.ts'

const root = mkdtempSync(join(tmpdir(), 'breakwater-test-issuer-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('the key of the test issuer', () => {
  test('is made at first use, for its owner alone, and found by all who come later', () => {
    const folder = join(root, 'state/first')
    const made = openTestIssuer(folder)
    expect(made.publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(statSync(join(folder, 'private.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(openTestIssuer(folder).publicKey).toBe(made.publicKey)
    expect(readdirSync(folder)).toEqual(['private.pem'])
  })

  test('is another one in another folder', () => {
    expect(openTestIssuer(join(root, 'a')).publicKey).not.toBe(openTestIssuer(join(root, 'b')).publicKey)
  })

  test('is one and the same for processes that come at the same moment', async () => {
    const folder = join(root, 'race')
    const script = `
      const { openTestIssuer } = await import(${JSON.stringify(join(import.meta.dirname, 'test-issuer-keys.ts'))})
      process.stdout.write(openTestIssuer(${JSON.stringify(folder)}).publicKey)`
    const run = promisify(execFile)
    const started = Array.from({ length: 4 }, () =>
      run(process.execPath, ['--conditions=source', '--input-type=module', '-e', script]),
    )
    const keys = (await Promise.all(started)).map(({ stdout }) => stdout)
    expect(new Set(keys)).toEqual(new Set([openTestIssuer(folder).publicKey]))
    expect(readdirSync(folder)).toEqual(['private.pem'])
  })

  test('that is something else is refused, and left as it is', () => {
    const folder = join(root, 'broken')
    mkdirSync(folder)
    writeFileSync(join(folder, 'private.pem'), 'not a key')
    expect(() => openTestIssuer(folder)).toThrow(
      expect.objectContaining({ code: 'BW_GATEWAY_START_FAILED', message: expect.stringContaining(folder) }),
    )
    expect(readFileSync(join(folder, 'private.pem'), 'utf8')).toBe('not a key')
  })
})
