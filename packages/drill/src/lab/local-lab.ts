import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createRandom, systemClock } from '@breakwater/core'
import type { Clock } from '@breakwater/core'

import type { Lab } from './lab.ts'
import { spawnProcess } from './process.ts'
import type { LabProcess, SpawnOptions } from './process.ts'

/** Real processes and sockets on loopback, all ended and removed after the run. */
export interface LocalLab extends Lab {
  readonly kind: 'local'
  readonly clock: Clock
  /** Always a loopback address. */
  readonly host: string
  /** A TCP port on `host` that was free a moment ago and has not been handed out before in this run. */
  port(): Promise<number>
  /**
   * Starts a process; ended with the run, the last one started first.
   *
   * @throws `BW_DRILL_PROCESS_FAILED` when it cannot be started.
   */
  spawn(options: SpawnOptions): Promise<LabProcess>
  /** A fresh directory, removed with all in it after the run. */
  tempDir(): Promise<string>
}

const HOST = '127.0.0.1'

/** @internal */
export function openLocalLab(options: {
  readonly seed: number
  readonly signal: AbortSignal
  readonly defer: Lab['defer']
}): LocalLab {
  const { seed, signal, defer } = options
  const handedOut = new Set<number>()
  return {
    kind: 'local',
    seed,
    signal,
    defer,
    random: createRandom(seed),
    clock: systemClock,
    host: HOST,
    async port() {
      for (;;) {
        const port = await freePort()
        if (handedOut.has(port)) continue
        handedOut.add(port)
        return port
      }
    },
    async spawn(spawnOptions) {
      signal.throwIfAborted()
      const child = await spawnProcess(spawnOptions)
      if (signal.aborted) {
        // The run is being cleared away already: nobody would end this one.
        await child.stop(0)
        signal.throwIfAborted()
      }
      defer(async () => {
        await child.stop()
      })
      return child
    },
    async tempDir() {
      signal.throwIfAborted()
      const path = await mkdtemp(join(tmpdir(), 'breakwater-drill-'))
      defer(() => rm(path, { recursive: true, force: true }))
      return path
    },
  }
}

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, HOST, () => {
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    server.close(() => resolve(port))
  })
  return promise
}
