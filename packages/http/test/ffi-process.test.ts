import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { openFfiDriver } from '../src/index.ts'
import { DRIVER_KINDS } from './support/kinds.ts'

const PROGRAM = join(import.meta.dirname, 'support/ffi-echo.ts')
const FLAGS = ['--conditions=source', '--disable-warning=ExperimentalWarning']
const hasFfi = DRIVER_KINDS.some(({ kind }) => kind === 'ffi')

interface Said {
  readonly port?: number
  readonly refused?: string
  readonly connections?: number
  readonly cpuMs?: number
}

function start(flags: readonly string[], args: readonly string[] = [], maxDescriptors?: number) {
  const command = [process.execPath, ...FLAGS, ...flags, PROGRAM, ...args]
  const limited = ['sh', '-c', `ulimit -n ${maxDescriptors}; exec "$@"`, 'sh', ...command]
  const [program = '', ...rest] = maxDescriptors === undefined ? command : limited
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const hear = async (): Promise<Said> => JSON.parse(String((await lines.next()).value)) as Said
  return {
    hear,
    ask: () => {
      child.stdin.write('?')
      return hear()
    },
    /** The exit code, once it has nothing to live for. */
    stop: async () => {
      const exited = once(child, 'exit') as Promise<[number | null, string | null]>
      child.stdin.end()
      return (await exited)[0]
    },
  }
}

/** Everything it has been told, once that ends with what it said. */
async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let told = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    told += String(chunk)
    if (told.endsWith(text)) break
  }
  return told
}

describe.runIf(hasFfi)('a process with an ffi driver', () => {
  test('lives while somebody may come, and ends by itself when the driver is closed', async () => {
    const { hear, ask, stop } = start([])
    const { port = 0 } = await hear()
    const socket = connect(port, '127.0.0.1')
    expect(await echo(socket, 'hello')).toBe('hi, hello')
    expect((await ask()).connections).toBe(1)
    const closed = once(socket, 'close')
    expect(await stop()).toBe(0)
    await closed
  })

  test('ends by itself when nobody may come any more and the last one has left', async () => {
    const { hear, stop } = start([], ['port'])
    const { port = 0 } = await hear()
    const socket = connect(port, '127.0.0.1')
    await echo(socket, 'hello')
    const exited = stop()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await echo(socket, 'the port is closed')).toBe('the port is closed')
    socket.end()
    expect(await exited).toBe(0)
  })

  test('ends by itself when it has hung up on somebody in the moment they were connected', async () => {
    const { hear, stop } = start([], ['port', 'hang-up'])
    await hear()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await stop()).toBe(0)
  })

  test('hears what the other side says in the moment it connects', async () => {
    const { hear, stop } = start([])
    const { port = 0 } = await hear()
    const opened = openFfiDriver()
    if (!opened.ok) throw new Error(opened.error)
    const greeting = new Promise<string>((resolve, reject) => {
      opened.value.connect(
        { host: '127.0.0.1', port },
        (transport) => ({
          onBytes: (bytes) => {
            resolve(Buffer.from(bytes).toString())
            transport.destroy()
          },
          onDrain: () => undefined,
          onEnd: () => undefined,
          onClose: () => undefined,
        }),
        reject,
      )
    })
    // Until this process looks, both have happened: the connection and the greeting.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    expect(await greeting).toBe('hi, ')
    await opened.value.close()
    expect(await stop()).toBe(0)
  })

  test('without descriptors left it waits, without keeping busy, and goes on when there are some again', async () => {
    const { hear, ask, stop } = start([], [], 40)
    const { port = 0 } = await hear()
    const sockets = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const before = await ask()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const after = await ask()
    expect(after.connections).toBeLessThan(40)
    expect((after.cpuMs ?? 0) - (before.cpuMs ?? 0)).toBeLessThan(500)
    for (const socket of sockets.slice(0, 52)) socket.destroy()
    const waiting = await Promise.all(sockets.slice(52).map((socket) => echo(socket, 'still here')))
    expect(waiting).toEqual(Array.from({ length: 8 }, () => 'hi, still here'))
    for (const socket of sockets) socket.destroy()
    expect(await stop()).toBe(0)
  })

  test.each([
    { flags: ['--no-experimental-ffi'], reason: /has no node:ffi, or it is switched off/ },
    { flags: ['--permission', '--allow-fs-read=*', '--allow-net'], reason: /--allow-ffi/ },
  ])('says why it cannot have one with $flags', async ({ flags, reason }) => {
    const { hear, stop } = start(flags)
    expect((await hear()).refused).toMatch(reason)
    expect(await stop()).toBe(0)
  })
})

test.runIf(hasFfi)('a worker is told that only the main thread can have an ffi driver', async () => {
  const worker = new Worker(PROGRAM, { execArgv: FLAGS, stdin: true, stdout: true })
  let said = ''
  for await (const chunk of worker.stdout) {
    said += String(chunk)
    if (said.includes('\n')) break
  }
  await worker.terminate()
  expect(JSON.parse(said)).toEqual({ refused: 'it works in the main thread only' })
})
