import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, isAbsolute } from 'node:path'

/** Seconds of processor time that the kernel has charged to one process, all its threads included. */
export interface CpuTime {
  readonly user: number
  readonly system: number
}

/** Linux counts in ticks of 10 ms (USER_HZ is 100 on every supported architecture). */
const TICKS_PER_SECOND = 100

export function cpuTimeOf(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command name may hold spaces and parentheses: fields are counted from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS_PER_SECOND, system: Number(fields[12]) / TICKS_PER_SECOND }
}

/** Resident memory in bytes, with shared pages counted once. */
export function residentBytesOf(pid: number): number {
  const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(match?.[1] ?? 0) * 1024
}

/** Where a program of the system is, or undefined when the machine lacks it. */
export function which(program: string): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  return ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', ...onPath]
    .map((folder) => `${folder}/${program}`)
    .find((path) => existsSync(path))
}

export interface Started extends AsyncDisposable {
  readonly pid: number
  readonly child: ChildProcess
}

/** This process runs on one core, with all its threads and whatever it starts, until the disposal. */
export function pinSelf(core: number): Disposable {
  const cores = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  moveSelf(String(core))
  return { [Symbol.dispose]: () => moveSelf(cores ?? String(core)) }
}

function moveSelf(cores: string): void {
  const { status, error, stderr } = spawnSync('taskset', ['-acp', cores, String(process.pid)])
  if (status === 0) return
  throw new Error(`cannot move the bench to core ${cores}: ${error?.message ?? stderr.toString().trim()}`)
}

/** Starts a program pinned to one core and waits until its port answers. Ends it, by its own id, on disposal. */
export async function startPinned(
  core: number,
  command: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  if (await answers(port)) throw new Error(`something else answers on port ${port} already`)
  const child = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  const complaints: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${command.join(' ')}`)
  for (let attempt = 0; !(await answers(port)); attempt++) {
    if (attempt > 200 || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error(
        `${command.join(' ')} does not listen on ${port}: ${Buffer.concat(complaints).toString()}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    pid,
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await exited
      clearTimeout(timer)
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  const isOpen = await promise
  socket.destroy()
  return isOpen
}
