import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'
import { openFileSink } from './sinks.ts'

const logsMuch = `
import { AccessLog, writeToStdout } from '@breakwater/telemetry'
const log = new AccessLog({ write: writeToStdout, closeTimeoutMs: 200 })
const entry = { timeMs: 0, requestId: 'r', traceId: 't', method: 'GET', path: '/' + 'x'.repeat(500), query: '', status: 200,
  durationMs: 1, attempts: 1, requestBytes: 0, responseBytes: 0, remoteAddress: '127.0.0.1' }
for (let n = 0; n < 500; n++) log.log(entry)
await log.close()
console.error(log.droppedLines > 0 ? 'lost some' : 'lost none')
`

async function run(
  isRead: boolean,
): Promise<{ readonly code: unknown; readonly said: string; readonly lines: number }> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      logsMuch,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000, killSignal: 'SIGKILL' },
  )
  let said = ''
  let out = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  if (isRead) child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')))
  const [code] = (await once(child, 'exit')) as [unknown]
  child.stdout.destroy()
  return { code, said: said.trim(), lines: out.split('\n').length - 1 }
}

test('standard output is written whole to whoever reads it', async () => {
  expect(await run(true)).toEqual({ code: 0, said: 'lost none', lines: 500 })
})

test.runIf(process.platform === 'linux')(
  'a reader that stands still does not keep the process from ending',
  async () => {
    expect(await run(false)).toMatchObject({ code: 0, said: 'lost some' })
  },
)

test.runIf(process.platform === 'linux')(
  'what a pipe has not taken when it is closed is lost, and never written to a file that is opened after it',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-sinks-'))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const sink = openFileSink(pipe)
    const lost = new Promise((resolve) => sink.write(Buffer.alloc(1_000_000, 'x'), resolve))
    await sleep(50)
    await sink.close()
    // One of these gets the number that the pipe had.
    const others = Array.from({ length: 40 }, () => openSync(join(folder, 'other'), 'a'))
    try {
      expect(await Promise.race([lost, sleep(500, 'still trying')])).toBeInstanceOf(Error)
      expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('')
    } finally {
      for (const descriptor of [reader, ...others]) closeSync(descriptor)
      rmSync(folder, { recursive: true })
    }
  },
)
