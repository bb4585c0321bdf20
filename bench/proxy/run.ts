// CPU microseconds per proxied request, user and system time of the proxy process, beside named peers in one run.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { conditions, median, writeResult } from '../lib/report.ts'
import { cpuTimeOf, residentBytesOf, startPinned } from '../lib/process.ts'
import { peersOn } from './peers.ts'
import { measureStreams } from './streams.ts'
import type { Peer } from './peers.ts'

const PROXY_CORE = 0
const LOAD_CORE = 1
const here = import.meta.dirname
const node = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning']

interface Sample {
  readonly userUs: number
  readonly systemUs: number
  readonly requests: number
  readonly residentBytes: number
}

export interface ProxyBenchOptions {
  readonly rounds: number
  readonly seconds: number
  readonly streams: number
}

function load(port: number, path: string, seconds: number): { completed: number; failures: number } {
  const run = spawnSync('taskset', ['-c', String(LOAD_CORE), ...node, join(here, 'load.ts')], {
    env: {
      ...process.env,
      PORT: String(port),
      TARGET_PATH: path,
      CONNECTIONS: '50',
      SECONDS: String(seconds),
    },
    timeout: (seconds + 30) * 1000,
  })
  return JSON.parse(run.stdout.toString()) as { completed: number; failures: number }
}

async function sample(peer: Peer, port: number, path: string, seconds: number): Promise<Sample> {
  if ('absent' in peer.command) throw new Error(peer.command.absent)
  await using proxy = await startPinned(PROXY_CORE, peer.command, port, peer.env)
  load(port, path, Math.min(2, seconds)) // warm-up
  const before = cpuTimeOf(proxy.pid)
  const { completed, failures } = load(port, path, seconds)
  const after = cpuTimeOf(proxy.pid)
  if (failures > 0 || completed === 0)
    throw new Error(`${peer.name}: ${failures} failed requests, ${completed} completed`)
  return {
    userUs: ((after.user - before.user) / completed) * 1e6,
    systemUs: ((after.system - before.system) / completed) * 1e6,
    requests: completed,
    residentBytes: residentBytesOf(proxy.pid),
  }
}

export async function benchProxy({ rounds, seconds, streams }: ProxyBenchOptions): Promise<void> {
  const upstreamPort = 18_900
  const proxyPort = 18_910
  await using _upstream = await startPinned(LOAD_CORE, [...node, join(here, 'upstream.ts')], upstreamPort, {
    PORT: String(upstreamPort),
  })
  using farm = peersOn(proxyPort, upstreamPort)
  const present = farm.peers.filter((peer) => !('absent' in peer.command))
  for (const peer of farm.peers)
    if ('absent' in peer.command) console.log(`skipped ${peer.name}: ${peer.command.absent}`)

  const samples = new Map<string, Sample[]>()
  for (let round = 0; round < rounds; round++) {
    for (const path of ['/small', '/16k']) {
      for (const peer of present) {
        const key = `${peer.name} ${path}`
        const result = await sample(peer, proxyPort, path, seconds)
        samples.set(key, [...(samples.get(key) ?? []), result])
        console.log(`round ${round + 1} ${key}: ${(result.userUs + result.systemUs).toFixed(1)} µs`)
      }
    }
  }
  const rows = present.flatMap((peer) =>
    ['/small', '/16k'].map((path) => {
      const own = samples.get(`${peer.name} ${path}`) ?? []
      const nginx = samples.get(`nginx ${path}`) ?? []
      const total = (list: readonly Sample[]): number =>
        median(list.map(({ userUs, systemUs }) => userUs + systemUs))
      const user = (list: readonly Sample[]): number => median(list.map(({ userUs }) => userUs))
      return {
        proxy: peer.name,
        path,
        totalUs: total(own),
        minimumUs: Math.min(...own.map(({ userUs, systemUs }) => userUs + systemUs)),
        userUs: user(own),
        timesNginx: nginx.length === 0 ? undefined : total(own) / total(nginx),
        timesNginxUser: nginx.length === 0 ? undefined : user(own) / user(nginx),
        requests: own.reduce((sum, { requests }) => sum + requests, 0),
      }
    }),
  )
  console.table(
    rows.map(({ proxy, path, totalUs, minimumUs, userUs, timesNginx }) => ({
      proxy,
      path,
      'CPU µs': totalUs.toFixed(1),
      least: minimumUs.toFixed(1),
      'user µs': userUs.toFixed(1),
      '× nginx': timesNginx?.toFixed(2) ?? '–',
    })),
  )
  const streaming = await measureStreams(present, proxyPort, streams)
  writeResult('proxy', { conditions: conditions(), rounds, seconds, connections: 50, rows, streaming })
}
