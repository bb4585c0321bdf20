import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { describe, expect, test } from 'vitest'

import { defineDrill, runDrills } from '../src/index.ts'
import type { Drill, LocalLab } from '../src/index.ts'
import { spillway, threats } from './examples.ts'

const SERVER = `
  import { createServer } from 'node:http'
  process.on('SIGTERM', () => {})
  createServer((request, response) => response.end('hello')).listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'))
`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function localDrill(attack: (lab: LocalLab) => Promise<number>, budgetMs = 20_000): Drill {
  return defineDrill({
    id: 'local',
    title: 'Plays with real processes',
    threat: threats.overfullDam,
    controls: [spillway],
    lab: 'local',
    budgetMs,
    arrange: (lab) => ({ lab }),
    attack: async ({ lab }) => attack(lab),
    judge: (value) => ({
      outcome: 'contained',
      because: [{ name: 'status', value, unit: '' }],
      honest: [{ name: 'status', value, unit: '', atMost: 200 }],
    }),
  })
}

describe('the local lab', () => {
  test('starts real processes on ports of its own and ends them, also those that ignore SIGTERM', async () => {
    const pids: number[] = []
    const dirs: string[] = []
    const report = await runDrills(
      [
        localDrill(async (lab) => {
          const ports = [await lab.port(), await lab.port()]
          expect(ports[0]).not.toBe(ports[1])
          dirs.push(await lab.tempDir())
          const server = await lab.spawn({
            name: 'server',
            args: ['--input-type=module', '--eval', SERVER, '--', String(ports[0])],
          })
          pids.push(server.pid)
          await server.waitForLine(/ready/)
          return (await fetch(`http://${lab.host}:${ports[0]}/`)).status
        }),
      ],
      { control: 'on' },
    )
    expect(report.drills[0]?.reasons).toEqual([])
    expect(pids.map(isAlive)).toEqual([false])
    expect(dirs.map((dir) => existsSync(dir))).toEqual([false])
  })

  test('ends its processes when the drill hangs past its budget', async () => {
    let pid = 0
    const report = await runDrills(
      [
        localDrill(async (lab) => {
          const server = await lab.spawn({ name: 'idle', args: ['--eval', 'setInterval(() => {}, 1000)'] })
          pid = server.pid
          return new Promise<number>(() => {})
        }, 500),
      ],
      { control: 'on' },
    )
    expect(report.drills[0]?.runs.on?.error?.code).toBe('BW_DRILL_BUDGET_EXCEEDED')
    expect(isAlive(pid)).toBe(false)
  })

  test('tells what a process that ends too early has printed last', async () => {
    const report = await runDrills(
      [
        localDrill(async (lab) => {
          const server = await lab.spawn({
            name: 'catalog',
            args: ['--eval', "console.error('cannot open catalog.db'); process.exit(3)"],
          })
          await server.waitForLine(/ready/)
          return 0
        }),
      ],
      { control: 'on' },
    )
    expect(report.drills[0]?.runs.on?.error?.message).toBe(
      'catalog ended (code 3) before printing /ready/; its last lines:\ncannot open catalog.db',
    )
  })

  test('says which program could not be started', async () => {
    const report = await runDrills(
      [
        localDrill(async (lab) => {
          await lab.spawn({ name: 'nginx', command: '/nowhere/nginx', args: [] })
          return 0
        }),
      ],
      { control: 'on' },
    )
    expect(report.drills[0]?.runs.on?.error?.message).toContain('nginx: spawn /nowhere/nginx ENOENT')
  })

  test('leaves no process behind when the drilling process itself is killed by force', async () => {
    const script = `
      const { runDrills, defineDrill, defineControl } = await import('@breakwater/drill')
      const threat = { id: 't', title: 't', looksLike: 't', defence: 't', notCovered: 't', source: 't' }
      const control = { id: 'c', title: 'c', defends: [threat], code: 'c.ts', configuration: [], notCovered: 'c' }
      await runDrills([defineDrill({
        id: 'd', title: 'd', threat, controls: [control], lab: 'local',
        async arrange(lab) {
          const child = await lab.spawn({ name: 'idle', args: ['--eval', "console.log('up'); setInterval(() => {}, 1000)"] })
          await child.waitForLine(/up/)
          console.log(child.pid)
          await new Promise(() => {})
        },
        attack: () => {}, judge: () => {},
      })])`
    const parent = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(String(printed).trim())
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })

  test('an error that escapes every promise chain of the drill fails the drill, not the process', async () => {
    const script = `
      const { runDrills, defineDrill } = await import('@breakwater/drill')
      const threat = { id: 't', title: 't', looksLike: 't', defence: 't', notCovered: 't', source: 't' }
      const control = { id: 'c', title: 'c', defends: [threat], code: 'c.ts', configuration: [], notCovered: 'c' }
      const drill = (id, attack) => defineDrill({
        id, title: id, threat, controls: [control], lab: 'sim', arrange: () => ({}), attack,
        judge: () => ({ outcome: 'contained', because: [{ name: 'n', value: 1, unit: '' }], honest: [{ name: 'n', value: 1, unit: '', atMost: 1 }] }),
      })
      const report = await runDrills([
        drill('rejects', async () => { void Promise.reject(new Error('a stray rejection')); await new Promise((done) => setTimeout(done, 50)) }),
        drill('throws', async () => { setTimeout(() => { throw new Error('a stray throw') }, 1); await new Promise((done) => setTimeout(done, 50)) }),
      ], { control: 'on' })
      console.log(JSON.stringify(report.drills.map(({ runs }) => runs.on.error?.message)))`
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [printed] = (await once(child.stdout, 'data')) as [Buffer]
    expect(JSON.parse(String(printed))).toEqual(['a stray rejection', 'a stray throw'])
    await once(child, 'exit')
  })
})
