import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { tempDir, waitForLine } from '@breakwater/testkit'
import { expect, test } from 'vitest'

import { isReachable } from '../src/up/ports.ts'
import { breakwater, npmStart, shopConfig } from './shop.ts'

const sh = promisify(execFile)

async function openPorts(ports: readonly number[]): Promise<readonly number[]> {
  const open = await Promise.all(ports.map((port) => isReachable({ host: '127.0.0.1', port }, 500)))
  return ports.filter((_port, index) => open[index] === true)
}

test('npm start runs the shop, what it prints to try is true, a second start says whose port it is, and Ctrl-C ends all with 0', async () => {
  await using folder = await tempDir()
  const { file, ports } = await shopConfig(folder.path)
  await using shop = npmStart(['--config', file])
  await waitForLine(shop, /Ctrl-C stops/, 40_000)
  expect(shop.stdout).toContain(`gateway     http://127.0.0.1:${ports[0]}\n`)
  expect(shop.stdout).toContain('idempotency keys      kept in the memory of this process')
  expect(shop.stdout).toContain('a payment provider that is a rule')

  const commands = shop.stdout.match(/^ {5}curl .*$/gm) ?? []
  expect(commands).toHaveLength(3)
  const answers: string[] = []
  for (const command of commands) answers.push((await sh('sh', ['-c', command])).stdout)
  const [products = '', order = '', smuggled = ''] = answers
  expect(JSON.parse(products)).toMatchObject({ products: { length: 8 } })
  expect(JSON.parse(order)).toMatchObject({ status: 'paid', completeness: 'full' })
  expect((await sh('sh', ['-c', commands[1] ?? ''])).stdout).toBe(order)
  expect(smuggled).toMatch(/^HTTP\/1\.1 400 [^]*connection: close\r\n[^]*BW_HTTP_FRAMING_AMBIGUOUS/i)

  await using status = breakwater(['resilience', 'status', '--config', file])
  await using check = breakwater(['check', '--config', file])
  await using second = npmStart(['--config', file])
  expect([(await status.exited).code, (await check.exited).code, (await second.exited).code]).toEqual([
    0, 0, 1,
  ])
  expect(status.stdout).toMatch(/^catalog +healthy \(optional\) +closed/m)
  expect(check.stdout).toMatch(/^ok +gateway: runs, ready/m)
  expect(second.stderr).toContain(`port ${ports[0]} of listener main is in use`)

  // A terminal sends the keystroke to everybody; the bootstrap passes it on as well.
  shop.kill('SIGINT')
  await sleep(100)
  shop.kill('SIGINT')
  expect(await shop.exited).toEqual({ code: 0, signal: null })
  expect(shop.stderr).toContain('breakwater: stopped')
  expect(await openPorts(ports)).toEqual([])
}, 90_000)
