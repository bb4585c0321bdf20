import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

describe('the harness', () => {
  test('finds every mistake planted into the compiler', { timeout: 600_000 }, async () => {
    const script = join(import.meta.dirname, 'mutants/run.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [script]).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout.trim()).toMatch(/^(\d+) mutants, \1 killed$/)
    expect(Number.parseInt(stdout, 10)).toBeGreaterThanOrEqual(60)
  })
})
