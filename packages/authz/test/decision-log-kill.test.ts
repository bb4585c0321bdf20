import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { readLogFolder } from '../src/log/recover.ts'
import { verifyLog } from '../src/log/verify.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-log-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))
const RUNS = 24

const linesOf = (file: string): string[] =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1) : []

/** Starts the process on the same log, lets it decide for a while, and kills it without a word. */
async function killedAfter(run: number, delayMs: number): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'support/acting-process.ts'), folder, `${run}`],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  while (linesOf('started.txt').length <= run && child.exitCode === null) await sleep(2)
  await sleep(delayMs)
  child.kill('SIGKILL')
  await exited
}

test(
  'a process killed at any moment leaves no acted-on allow without a record, and a chain that fits',
  { timeout: 120_000 },
  async () => {
    // github.com/open-policy-agent/opa/issues/3043
    for (let run = 0; run < RUNS; run += 1) await killedAfter(run, (run * 7) % 23)
    const files = readLogFolder(join(folder, 'log'))
    const verdict = verifyLog(files)
    expect(verdict.problem).toBeUndefined()
    expect(linesOf('started.txt')).toHaveLength(RUNS)
    const recorded = new Set(
      files
        .flatMap(({ bytes }) => new TextDecoder().decode(bytes).split('\n'))
        .map((line) => /"result":"allow".*"traceId":"([^"]+)"/.exec(line)?.[1]),
    )
    const acted = linesOf('acted.txt')
    expect(acted.length).toBeGreaterThan(RUNS)
    expect(acted.filter((id) => !recorded.has(id))).toEqual([])
    expect(verdict.records).toBeGreaterThan(acted.length)
  },
)
