import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { resolveObject } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { afterAll, expect, test } from 'vitest'

import { openAccessLogSink } from './access-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-log-'))
afterAll(() => rmSync(folder, { recursive: true }))

function telemetryTo(to: string): GatewayConfig['telemetry'] {
  const resolved = resolveObject(
    {
      listeners: { main: { port: 0 } },
      upstreams: { a: { endpoints: ['127.0.0.1:1'] } },
      routes: { a: { match: '/*', upstream: 'a' } },
      telemetry: { accessLog: { to } },
    },
    { file: 'test' },
  )
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
  return resolved.value.config.telemetry
}

test('makes the folder of the access log', async () => {
  const file = join(folder, 'new', 'access.log')
  const sink = openAccessLogSink(telemetryTo(file), () => {})
  await new Promise((resolve) => sink.write?.(Buffer.from('line\n'), resolve))
  await sink[Symbol.asyncDispose]()
  expect(readFileSync(file, 'utf8')).toBe('line\n')
})

test('says at once which file cannot be opened, and why', () => {
  writeFileSync(join(folder, 'a-file'), '')
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const refusals = [
    [join(folder, 'a-file', 'access.log'), 'a part of its path is a file (ENOTDIR)'],
    [folder, 'it is a folder (EISDIR)'],
    [join(folder, 'pipe'), 'nobody reads from that pipe (ENXIO)'],
    ...(existsSync('/proc/self') ? [['/proc/breakwater/x', 'no file can be made there (ENOENT)']] : []),
  ]
  for (const [file = '', why = ''] of refusals) {
    expect(() => openAccessLogSink(telemetryTo(file), () => {})).toThrow(
      expect.objectContaining({
        code: 'BW_TELEMETRY_SINK_UNAVAILABLE',
        message: `the log file ${file} cannot be opened for writing: ${why}`,
      }),
    )
  }
})

test('writes to a pipe that somebody reads', async () => {
  const pipe = join(folder, 'read-pipe')
  execFileSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const sink = openAccessLogSink(telemetryTo(pipe), () => {})
  await new Promise((resolve) => sink.write?.(Buffer.from('line\n'), resolve))
  const bytes = Buffer.alloc(10)
  expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toBe('line\n')
  await sink[Symbol.asyncDispose]()
  closeSync(reader)
})

test.runIf(existsSync('/dev/full'))('says once that the disk is full', async () => {
  const notes: string[] = []
  const sink = openAccessLogSink(telemetryTo('/dev/full'), (text) => notes.push(text))
  const write = (): Promise<unknown> => new Promise((resolve) => sink.write?.(Buffer.from('line\n'), resolve))
  expect(await write()).toMatchObject({ code: 'ENOSPC' })
  await write()
  await sink[Symbol.asyncDispose]()
  expect(notes).toHaveLength(1)
  expect(notes[0]).toContain('the access log /dev/full cannot be written (ENOSPC')
})
