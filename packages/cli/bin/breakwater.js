#!/usr/bin/env node
// In the repository: from source, on the pinned Node. As an installed package: the compiled command, on this Node.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const bootstrap = join(here, '..', '..', '..', 'tools', 'bootstrap.mjs')

if (existsSync(bootstrap) && existsSync(join(here, '..', 'src', 'main.ts'))) {
  const { ensureInstalled, handOver } = await import(pathToFileURL(bootstrap).href)
  ensureInstalled()
  handOver('packages/cli/src/main.ts', process.argv.slice(2))
} else {
  await import('../dist/main.js')
}
