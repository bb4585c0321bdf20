// `npm run build`: compiles every package to dist and checks what a publish would contain.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { runCommand } from './checks/command.ts'

const root = join(import.meta.dirname, '..')
const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` }

async function must(command: readonly string[], cwd: string): Promise<string> {
  const result = await runCommand(command, { cwd, env })
  if (result.code === 0) return result.output
  console.error(`${command.join(' ')} failed:\n${result.output}`)
  process.exit(1)
}

await must(['tsc', '-b'], root)
let problems = 0
for (const file of globSync('packages/*/package.json', { cwd: root })) {
  const folder = join(root, dirname(file))
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    private?: boolean
  }
  if (manifest.private === true) continue
  const { messages } = await publint({ pkgDir: folder, level: 'warning', strict: true })
  for (const message of messages) {
    problems++
    console.error(`${manifest.name}: ${formatMessage(message, manifest)}`)
  }
  const [packed] = JSON.parse(
    await must(['npm', 'pack', '--dry-run', '--json', '--loglevel=error'], folder),
  ) as [{ files: readonly { path: string }[]; size: number }]
  const paths = packed.files.map(({ path }) => path)
  for (const path of paths.filter((path) => /\.test\.|tsbuildinfo|(^|\/)test\//.test(path))) {
    problems++
    console.error(`${manifest.name}: ${path} must not be published`)
  }
  if (!paths.includes('dist/index.js') || !paths.includes('dist/index.d.ts')) {
    problems++
    console.error(`${manifest.name}: the compiled door dist/index.js is not in the package`)
  }
  console.log(`${manifest.name}: ${paths.length} files, ${Math.round(packed.size / 1024)} KiB packed`)
}
process.exitCode = problems === 0 ? 0 : 1
