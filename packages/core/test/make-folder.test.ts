import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { makeFolder } from '@breakwater/core'
import { afterAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-core-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('makeFolder', () => {
  test('makes what is missing above as well, with the mode asked for, and leaves what is there', () => {
    const deep = join(folder, 'a/b/c')
    makeFolder(deep, 0o700)
    expect(statSync(deep).mode & 0o777).toBe(0o700)
    writeFileSync(join(deep, 'kept'), '')
    makeFolder(deep)
    expect(existsSync(join(deep, 'kept'))).toBe(true)
  })

  test('says that a file is in the way', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST')
    expect(() => makeFolder(join(folder, 'file/below'))).toThrow(/EEXIST|ENOTDIR/)
  })

  test.runIf(existsSync('/proc/self'))('gives up where the system makes no folder', () => {
    expect(() => makeFolder('/proc/breakwater/log')).toThrow('ENOENT')
  })
})
