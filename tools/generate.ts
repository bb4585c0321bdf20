// Writes what is generated from the agreements; with --check it only says which files are stale. Run by `npm test`;
// alone: node --conditions=source tools/generate.ts [--check]
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

import { configJsonSchema, configurationPage, errorsPage } from '@breakwater/contract/reference'
import type { CatalogueLike } from '@breakwater/contract/reference'

import { benchmarksPage } from '../bench/lib/page.ts'

type Makers = Readonly<Record<string, () => string | Promise<string>>>

const root = dirname(import.meta.dirname)

/** Every generated file, and what makes it. */
const files: Makers = {
  'docs/reference/breakwater.schema.json': () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/benchmarks.md': benchmarksPage,
  'docs/reference/errors.md': async () => errorsPage(await readCatalogues()),
}

/** The catalogues of all packages: whatever has a `src/errors.ts` takes part. */
async function readCatalogues(): Promise<Readonly<Record<string, CatalogueLike>>> {
  const found: Record<string, CatalogueLike> = {}
  for (const file of globSync('packages/*/src/errors.ts', { cwd: root }).sort()) {
    const [, name = ''] = file.split(/[\\/]/)
    const module = (await import(pathToFileURL(join(root, file)).href)) as ErrorModule
    if (module.errors !== undefined) found[name] = module.errors
    else if (module.codes !== undefined) found[name] = fromSpecs(module.codes)
  }
  return found
}

interface ErrorModule {
  readonly errors?: CatalogueLike
  /** A package that stands alone keeps the plain table instead of makers. */
  readonly codes?: Readonly<Record<string, CatalogueLike[string]['spec']>>
}

function fromSpecs(specs: NonNullable<ErrorModule['codes']>): CatalogueLike {
  return Object.fromEntries(Object.entries(specs).map(([code, spec]) => [code, { code, spec }]))
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const isCheck = process.argv.includes('--check')
let stale = 0
for (const [file, make] of Object.entries(files)) {
  const path = join(root, file)
  const fresh = await make()
  if (readIfThere(path) === fresh) continue
  stale += 1
  if (isCheck) {
    console.error(`${file} is stale. Run: npm run generate`)
    continue
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, fresh)
  console.log(`wrote ${file}`)
}
if (isCheck && stale > 0) process.exitCode = 1
else if (stale === 0) console.log(`${Object.keys(files).length} generated files are fresh`)
