import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { spawnNode } from './process.ts'

/**
 * Runs the example `name` of a README, a ```ts block whose first line is `// example: <name>`, and brings back what
 * it printed. It runs from a file beside the README, so that it imports what a reader's file could; the file is
 * removed afterwards. `readme` is a path or a file URL: `new URL('../README.md', import.meta.url)`.
 *
 * @throws Error when there is no such block, or with all output when it does not end with code 0 within 30 s.
 */
export async function runExample(readme: string | URL, name: string): Promise<string> {
  const path = readme instanceof URL ? fileURLToPath(readme) : readme
  const code = extractExample(await readFile(path, 'utf8'), name)
  if (code === undefined) throw new Error(`${path} has no ts block that begins with "// example: ${name}"`)
  const file = join(dirname(path), `.example-${name}-${process.pid}.ts`)
  await writeFile(file, code)
  const timer = AbortSignal.timeout(30_000)
  try {
    await using running = spawnNode([file], { cwd: dirname(path) })
    timer.addEventListener('abort', () => running.kill('SIGKILL'), { once: true })
    const { code: exitCode, signal } = await running.exited
    if (exitCode === 0) return running.stdout
    throw new Error(`example ${name} ended with ${signal ?? exitCode}\n${running.stdout}\n${running.stderr}`)
  } finally {
    await rm(file, { force: true })
  }
}

/** The text of the block, its marker line included; `undefined` when there is none. */
export function extractExample(markdown: string, name: string): string | undefined {
  for (const [, code = ''] of markdown.matchAll(/^```ts[^\n]*\n([\s\S]*?)^```/gm)) {
    const [first = ''] = code.split('\n', 1)
    if (first.trim() === `// example: ${name}`) return code
  }
  return undefined
}
