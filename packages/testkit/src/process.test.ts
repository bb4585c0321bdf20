import { existsSync } from 'node:fs'
import { createServer } from 'node:net'

import { describe, expect, test } from 'vitest'

import { freePort, killAll, spawnNode, tempDir, waitForLine } from './process.ts'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('spawnNode', () => {
  test('runs TypeScript from source and reads all of its output', async () => {
    await using running = spawnNode([
      '--input-type=module-typescript',
      '--eval',
      "import { VirtualClock } from '@breakwater/core'; const clock: VirtualClock = new VirtualClock(7); console.log(`at ${clock.now()}`)",
    ])
    expect(await running.exited).toEqual({ code: 0, signal: null })
    expect(running.stdout).toBe('at 7\n')
  })

  test('finds a line that has been printed and one that comes later', async () => {
    await using running = spawnNode([
      '--eval',
      "console.log('early'); setTimeout(() => console.error('late'), 50)",
    ])
    expect(await waitForLine(running, /late/)).toBe('late')
    expect(await waitForLine(running, /ear/)).toBe('early')
  })

  test('says what was printed when the process ends without the line', async () => {
    await using running = spawnNode(['--eval', "console.log('only this'); process.exit(3)"])
    await expect(waitForLine(running, /ready/)).rejects.toThrow(
      /ended \(code 3\) before printing[\s\S]*only this/,
    )
  })

  test('ends the process when its scope ends, and all of them with killAll', async () => {
    let pid: number
    {
      await using running = spawnNode(['--eval', "console.log('up'); setInterval(() => {}, 1000)"])
      await waitForLine(running, /up/)
      pid = running.pid
      expect(isAlive(pid)).toBe(true)
    }
    expect(isAlive(pid)).toBe(false)
    const others = [1, 2].map(() => spawnNode(['--eval', 'setInterval(() => {}, 1000)']))
    await killAll()
    expect(others.map((other) => isAlive(other.pid))).toEqual([false, false])
  })
})

test('freePort gives a port that one can listen on', async () => {
  const port = await freePort()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await new Promise((resolve) => server.close(resolve))
  expect(port).toBeGreaterThan(0)
})

test('tempDir removes its directory at the end of the scope', async () => {
  let path: string
  {
    await using dir = await tempDir()
    path = dir.path
    expect(existsSync(path)).toBe(true)
  }
  expect(existsSync(path)).toBe(false)
})
