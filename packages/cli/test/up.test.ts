import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { freePort, tempDir, waitForLine } from '@breakwater/testkit'
import { expect, test } from 'vitest'

import { isReachable } from '../src/up/ports.ts'
import { breakwater, root, smallConfig } from './shop.ts'

const threePorts = async () => ({
  gateway: await freePort(),
  admin: await freePort(),
  upstream: await freePort(),
})

const serviceCode = `
process.on('SIGTERM', () => process.exit(0))
require('node:http').createServer((request, response) => response.end('hello')).listen(Number(process.env.PORT), '127.0.0.1')
`

/** A service that knows nothing of Breakwater and does not listen to its channel, behind a shell. */
function withService(folder: string, upstream: number): string {
  writeFileSync(join(folder, 'hello.cjs'), serviceCode)
  return `services:
  hello:
    command: [sh, -c, '${process.execPath} hello.cjs; true']
    env: { PORT: '${upstream}' }
    health: { url: http://127.0.0.1:${upstream}/ }
`
}

function endIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

const isOpen = (port: number): Promise<boolean> => isReachable({ host: '127.0.0.1', port }, 500)

test.each([
  [
    'a missing file',
    'nothing-here.yaml',
    undefined,
    'nothing-here.yaml: there is no such file. Name an existing file with --config',
  ],
  ['a misspelt key', 'bad.yaml', 'listener: {}\n', 'bad.yaml:1:1 listener: unknown key'],
])('%s is one clear message, and exit code 2', async (_what, name, content, said) => {
  await using folder = await tempDir()
  const file = join(folder.path, name)
  if (content !== undefined) writeFileSync(file, content)
  await using up = breakwater(['up', '--config', file])
  expect((await up.exited).code).toBe(2)
  expect(up.stderr).toContain(said)
  expect(up.stdout).toBe('')
})

test('a mistake is an error for machines as well', async () => {
  await using folder = await tempDir()
  await using up = breakwater(['up', '--log', 'json', '--config', join(folder.path, 'nothing-here.yaml')])
  expect((await up.exited).code).toBe(2)
  expect(JSON.parse(up.stderr)).toMatchObject({
    level: 'error',
    msg: expect.stringContaining('there is no such file'),
  })
})

test('a secret that is not there is told, with the same exit code, to people and to machines', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'breakwater.yaml')
  const service = 'services:\n  hello:\n    command: [node, -e, "1"]\n    env: { TOKEN: { env: NOT_SET } }\n'
  smallConfig(file, await threePorts(), service)
  for (const format of ['text', 'json']) {
    await using up = breakwater(['up', '--log', format, '--config', file])
    expect([format, (await up.exited).code]).toEqual([format, 2])
    expect(up.stderr).toContain('the variable NOT_SET is not set')
  }
})

test('a service that cannot start is named, and what was started is stopped', async () => {
  await using folder = await tempDir()
  const ports = await threePorts()
  const file = join(folder.path, 'breakwater.yaml')
  const broken = `  broken:\n    command: [node, -e, 'console.log("no database"); process.exit(3)']\n    health: { url: http://127.0.0.1:1/ }\n    dependsOn: [hello]\n`
  smallConfig(file, ports, withService(folder.path, ports.upstream) + broken)
  await using up = breakwater(['up', '--config', file])
  expect((await up.exited).code).toBe(1)
  expect(up.stderr).toContain('broken | no database')
  expect(up.stderr).toContain('BW_CLI_SERVICE_FAILED: the service broken ended with code 3')
  expect(await isOpen(ports.upstream)).toBe(false)
})

test('an upstream that is not there is a warning with its fix; a file that changes is read at once, a bad route keeps its last version', async () => {
  await using folder = await tempDir()
  const ports = await threePorts()
  const file = join(folder.path, 'breakwater.yaml')
  smallConfig(file, ports)
  await using up = breakwater(['up', '--config', file])
  await waitForLine(up, /Ctrl-C stops/, 20_000)
  expect(up.stderr).toContain(
    `warning: nobody answers at 127.0.0.1:${ports.upstream} (upstream hello). Start it, or correct upstreams.hello.endpoints.`,
  )
  expect(up.stdout).toContain(`curl -si http://127.0.0.1:${ports.gateway}/hello\n`)

  await using server = createServer((_request, response) => response.end('hello'))
  await once(server.listen(ports.upstream, '127.0.0.1'), 'listening')
  const statusOf = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${ports.gateway}${path}`)).status
  expect(await statusOf('/hello')).toBe(200)

  const good = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    good.replace('match: /hello,', "match: '/hello/{',") + '  again: { match: /again, upstream: hello }\n',
  )
  await waitForLine(up, /is in effect, except/)
  expect(up.stderr).toMatch(/breakwater\.yaml:7:19 routes\.hello\.match: /)
  expect(up.stderr).toContain('routes.hello keeps its last good version')
  expect([await statusOf('/hello'), await statusOf('/again')]).toEqual([200, 200])
  server.closeAllConnections()
  up.kill('SIGTERM')
  expect((await up.exited).code).toBe(0)
}, 40_000)

test('kill -9 of the gateway leaves none of its services behind', async () => {
  await using folder = await tempDir()
  const ports = await threePorts()
  const file = join(folder.path, 'breakwater.yaml')
  smallConfig(file, ports, withService(folder.path, ports.upstream))
  await using up = breakwater(['up', '--config', file])
  await waitForLine(up, /Ctrl-C stops/, 20_000)
  expect(await isOpen(ports.upstream)).toBe(true)
  const { pid } = (await (await fetch(`http://127.0.0.1:${ports.admin}/status`)).json()) as {
    readonly pid: number
  }
  expect(pid).not.toBe(up.pid)
  process.kill(pid, 'SIGKILL')
  expect((await up.exited).code).toBe(128 + 9)
  for (let tries = 0; tries < 100 && (await isOpen(ports.upstream)); tries++) await sleep(50)
  expect([await isOpen(ports.upstream), await isOpen(ports.gateway)]).toEqual([false, false])
}, 40_000)

test('SIGTERM to npm, whose shell keeps it to itself, ends the gateway as well', async () => {
  await using folder = await tempDir()
  const ports = await threePorts()
  const file = join(folder.path, 'breakwater.yaml')
  smallConfig(file, ports)
  // What npm runs: a shell that waits for the command.
  const command = `'${process.execPath}' '${join(root, 'packages/cli/bin/breakwater.js')}' up --config '${file}'; true`
  const env = { ...process.env, npm_lifecycle_event: 'start' }
  const shell = spawn('sh', ['-c', command], { env, stdio: ['ignore', 'ignore', 'ignore'] })
  for (let tries = 0; tries < 200 && !(await isOpen(ports.admin)); tries++) await sleep(100)
  const { pid } = (await (await fetch(`http://127.0.0.1:${ports.admin}/status`)).json()) as {
    readonly pid: number
  }
  using _ = { [Symbol.dispose]: () => endIfAlive(pid) }
  shell.kill('SIGTERM')
  for (let tries = 0; tries < 100 && (await isOpen(ports.admin)); tries++) await sleep(100)
  expect([await isOpen(ports.admin), await isOpen(ports.gateway)]).toEqual([false, false])
}, 40_000)

test('a second Ctrl-C, later than an echo, ends everything at once', async () => {
  await using folder = await tempDir()
  const ports = await threePorts()
  const file = join(folder.path, 'breakwater.yaml')
  smallConfig(file, ports)
  const server = createServer(() => {}).listen(ports.upstream, '127.0.0.1')
  await once(server, 'listening')
  await using up = breakwater(['up', '--config', file])
  await waitForLine(up, /Ctrl-C stops/, 20_000)
  const asked = once(server, 'request')
  const hanging = fetch(`http://127.0.0.1:${ports.gateway}/hello`).catch(() => 'cut')
  await asked
  up.kill('SIGINT')
  await waitForLine(up, /Again: at once/)
  await sleep(300)
  up.kill('SIGINT') // an echo
  await sleep(1_000)
  expect(await isOpen(ports.admin)).toBe(true)
  up.kill('SIGINT')
  expect((await up.exited).code).toBe(130)
  expect(await hanging).toBe('cut')
  server.closeAllConnections()
  server.close()
}, 40_000)
