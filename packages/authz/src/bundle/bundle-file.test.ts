import {
  chmodSync,
  mkdtempDisposableSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BundleFile } from './bundle-file.ts'

const OLD = new TextEncoder().encode('old')
const NEW = new TextEncoder().encode('new')
const folder = (): { readonly path: string } & Disposable =>
  mkdtempDisposableSync(join(tmpdir(), 'breakwater-bundle-file-'))
const shop = (version: number): { readonly name: string; readonly version: number } => ({
  name: 'shop',
  version,
})

test('the highest version accepted is known to the next process', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  expect(new BundleFile(path).minVersion('shop')).toBe(1)
  expect(new BundleFile(path).put(OLD, shop(3))).toBe(true)
  expect(new BundleFile(path).minVersion('shop')).toBe(3)
  expect(new BundleFile(path).minVersion('other')).toBe(1)
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(readdirSync(own.path).sort()).toEqual(['shop.bundle', 'shop.bundle.min-version'])
})

test('it never goes down, and one that came with the file counts too', () => {
  using own = folder()
  const file = new BundleFile(join(own.path, 'shop.bundle'))
  expect([file.keep(shop(5)), file.keep(shop(4)), file.minVersion('shop')]).toEqual([true, true, 5])
})

test('no process puts an older bundle in the place of what another one has taken meanwhile', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  const [one, other] = [new BundleFile(path), new BundleFile(path)]
  expect([one.put(OLD, shop(4)), other.put(NEW, shop(6))]).toEqual([true, true])
  expect(() => one.put(OLD, shop(5))).toThrow('version 5, at least 6')
  expect([readFileSync(path, 'utf8'), one.minVersion('shop')]).toEqual(['new', 6])
  expect(readdirSync(own.path)).toHaveLength(2)
})

test('a record that cannot be read forbids everything', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  for (const text of ['', '{}', '{"name":"shop","version":"9"}']) {
    writeFileSync(`${path}.min-version`, text)
    expect(() => new BundleFile(path).minVersion('shop')).toThrow('cannot be read')
    expect(new BundleFile(path).keep(shop(1))).toBe(false)
    expect(() => new BundleFile(path).put(NEW, shop(1))).toThrow('cannot be read')
    expect(readdirSync(own.path)).toEqual(['shop.bundle.min-version'])
  }
})

test('what cannot be written leaves the bundle before, and nothing beside it', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  new BundleFile(path).put(OLD, shop(1))
  const full = new BundleFile(path, {
    rename: () => {
      throw new Error('no space left on device')
    },
  })
  expect(() => full.put(NEW, shop(2))).toThrow(
    expect.objectContaining({
      code: 'BW_AUTHZ_BUNDLE_UNSTORED',
      message: expect.stringContaining('no space'),
    }),
  )
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(new BundleFile(path).minVersion('shop')).toBe(1)
  expect(readdirSync(own.path)).toHaveLength(2)
})

test('a bundle that is there already is told apart from a record that could not follow', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  const full = new BundleFile(path, {
    rename: (from, to) => {
      if (to !== path) throw new Error('no space left on device')
      renameSync(from, to)
    },
  })
  expect(full.put(NEW, shop(2))).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(readdirSync(own.path)).toEqual(['shop.bundle'])
})

test('where nothing can be written no record is kept, and it says so', () => {
  using own = folder()
  const file = new BundleFile(join(own.path, 'no-such-folder', 'shop.bundle'))
  expect(file.keep(shop(1))).toBe(false)
  expect(() => file.put(NEW, shop(1))).toThrow('cannot be written')
})

test('what is written is for its owner alone, and no more open than what was there', () => {
  using own = folder()
  const path = join(own.path, 'shop.bundle')
  const modes = (): readonly number[] =>
    [path, `${path}.min-version`].map((file) => statSync(file).mode & 0o777)
  new BundleFile(path).put(OLD, shop(1))
  expect(modes()).toEqual([0o600, 0o600])
  for (const file of [path, `${path}.min-version`]) chmodSync(file, 0o444)
  new BundleFile(path).put(NEW, shop(2))
  expect(modes()).toEqual([0o400, 0o400])
  chmodSync(`${path}.min-version`, 0o666)
  new BundleFile(path).keep(shop(3))
  expect(modes()).toEqual([0o400, 0o600])
})
