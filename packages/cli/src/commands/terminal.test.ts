import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { expect, test } from 'vitest'

const chatty = `
import { processTerminal } from '${pathToFileURL(join(import.meta.dirname, 'terminal.ts')).href}'
for (let n = 0; n < 5000; n++) processTerminal.note('x'.repeat(1000))
console.log(process.stderr.writableLength < 1_100_000)
process.exit()
`

test('keeps little for a reader of standard error that stands still', async () => {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', chatty],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000, killSignal: 'SIGKILL' },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'exit')
  child.stderr.destroy()
  expect(said).toBe('true\n')
})
