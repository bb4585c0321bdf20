import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = import.meta.dirname

test('the example of the README runs and shows what it says', () => {
  const readme = readFileSync(join(folder, '..', 'README.md'), 'utf8')
  const example = /```ts\n(\/\/ example: metrics-and-access-log\n.*?)```/s.exec(readme)?.[1]
  expect(example).toBeDefined()
  // Beside the package, so that its imports resolve as a user's would.
  const file = join(folder, `readme-example-${process.pid}.tmp.ts`)
  try {
    writeFileSync(file, example ?? '')
    const printed = execFileSync(process.execPath, ['--conditions=source', file], { encoding: 'utf8' })
    expect(printed).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/m)
    expect(printed).toContain('"path":"/orders/7","query":"token=***"')
    expect(printed).toContain('breakwater_requests_total{route="orders"} 1\n')
  } finally {
    rmSync(file, { force: true })
  }
})
