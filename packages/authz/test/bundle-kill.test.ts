import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BundleFile } from '../src/bundle/bundle-file.ts'

/** Stores version 2 over version 1 in a process that is killed before its rename number `renames`. */
function killedBefore(folder: string, renames: number): BundleFile {
  const [path, next] = [join(folder, 'shop.bundle'), join(folder, 'next')]
  new BundleFile(path).put(new TextEncoder().encode('old'), { name: 'shop', version: 1 })
  writeFileSync(next, 'new')
  const { signal } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'support/storing-process.ts'), path, next, `${renames}`],
    { stdio: 'inherit' },
  )
  expect(signal).toBe('SIGKILL')
  return new BundleFile(path)
}

test('a process killed before the new bundle has its name leaves the old one, which may be used', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-kill-'))
  const file = killedBefore(folder.path, 0)
  expect(readFileSync(file.path, 'utf8')).toBe('old')
  expect(file.minVersion('shop')).toBe(1)
})

test('a process killed before the record is raised leaves the new bundle, which may be used', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-kill-'))
  const file = killedBefore(folder.path, 1)
  expect(readFileSync(file.path, 'utf8')).toBe('new')
  expect(file.minVersion('shop')).toBe(1)
  expect(file.put(new TextEncoder().encode('newer'), { name: 'shop', version: 3 })).toBe(true)
  expect(file.minVersion('shop')).toBe(3)
})
