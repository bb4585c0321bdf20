// CPU microseconds per proxied request, user and system time of the proxy process, beside named peers in one run.
import { spawnSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { conditions, median, writeResult } from '../lib/report.ts'
import { cpuTimeOf, pinSelf, startPinned } from '../lib/process.ts'
import type { Started } from '../lib/process.ts'
import { peersOn } from './peers.ts'
import { measureStreams } from './streams.ts'
import type { StreamRow } from './streams.ts'
import type { Peer } from './peers.ts'

const PROXY_CORE = 0
const LOAD_CORE = 1
const UPSTREAM_PORT = 18_900
const FIRST_PROXY_PORT = 18_910
const PATHS = ['/small', '/16k'] as const
/** Requests before anything is measured, so that every peer is compiled and grown; a slow one is given no more than the seconds. */
const WARM_UP_REQUESTS = 30_000
const WARM_UP_SECONDS = 12
const OWN = ['breakwater', 'breakwater (ffi driver)'] as const
/** Its log makes no difference to a stream. */
const NOT_STREAMED = 'nginx without its log'
/** When nginx itself varies by more than this between rounds, the machine was too busy for a verdict. */
const MAX_SPREAD = 0.25
const TARGET = 1.6
const TARGET_STREAM_BYTES = 20_000
const TARGET_EVENT_US = 20
const here = import.meta.dirname
const node = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning']

interface Sample {
  readonly userUs: number
  readonly totalUs: number
}

interface Running {
  readonly name: string
  readonly port: number
  readonly process: Started
  readonly samples: Readonly<Record<(typeof PATHS)[number], Sample[]>>
}

export interface ProxyBenchOptions {
  /** At least 5 are run. */
  readonly rounds: number
  readonly seconds: number
  readonly streams: number
}

function load(
  port: number,
  path: string,
  seconds: number,
  requests?: number,
): { completed: number; failures: number } {
  const run = spawnSync('taskset', ['-c', String(LOAD_CORE), ...node, join(here, 'load.ts')], {
    env: {
      ...process.env,
      PORT: String(port),
      TARGET_PATH: path,
      CONNECTIONS: '50',
      SECONDS: String(seconds),
      ...(requests !== undefined && { REQUESTS: String(requests) }),
    },
    timeout: (seconds + 30) * 1000,
  })
  return JSON.parse(run.stdout.toString()) as { completed: number; failures: number }
}

/** All peers run at once, each on its own port and nearly all of the time idle: so that a round is short, and its samples close together. */
async function start(peer: Peer, port: number): Promise<Running> {
  if ('absent' in peer.command) throw new Error(peer.command.absent)
  const process = await startPinned(PROXY_CORE, peer.command, port, peer.env)
  for (const path of PATHS) load(port, path, WARM_UP_SECONDS, WARM_UP_REQUESTS)
  return { name: peer.name, port, process, samples: { '/small': [], '/16k': [] } }
}

function sample({ name, port, process: { pid } }: Running, path: string, seconds: number): Sample {
  const before = cpuTimeOf(pid)
  const { completed, failures } = load(port, path, seconds)
  const after = cpuTimeOf(pid)
  if (failures > 0 || completed === 0)
    throw new Error(`${name}: ${failures} failed requests, ${completed} completed`)
  const userUs = ((after.user - before.user) / completed) * 1e6
  return { userUs, totalUs: userUs + ((after.system - before.system) / completed) * 1e6 }
}

export async function benchProxy({ rounds, seconds, streams }: ProxyBenchOptions): Promise<void> {
  await using stack = new AsyncDisposableStack()
  // The clients of the streams live in this process: on the core of the proxy they would fill its caches.
  stack.use(pinSelf(LOAD_CORE))
  stack.use(
    await startPinned(LOAD_CORE, [...node, join(here, 'upstream.ts')], UPSTREAM_PORT, {
      PORT: String(UPSTREAM_PORT),
    }),
  )
  const loadBefore = loadavg()
  const running: Running[] = []
  const first = stack.use(peersOn(FIRST_PROXY_PORT, UPSTREAM_PORT))
  for (const [index, { name, command }] of first.peers.entries()) {
    if ('absent' in command) {
      console.log(`skipped ${name}: ${command.absent}`)
      continue
    }
    const port = FIRST_PROXY_PORT + 10 * (index + 1)
    const own = stack.use(peersOn(port, UPSTREAM_PORT)).peers[index]
    if (own === undefined) continue
    const started = await start(own, port)
    stack.use(started.process)
    running.push(started)
    console.log(`${name} is warm`)
  }
  const atLeast = Math.max(5, rounds)
  for (let round = 1; round <= atLeast; round++) {
    for (const path of PATHS) {
      const told = running.map((peer) => {
        const result = sample(peer, path, seconds)
        peer.samples[path].push(result)
        return `${peer.name} ${result.totalUs.toFixed(1)}`
      })
      console.log(`round ${round} ${path}: ${told.join(', ')} µs`)
    }
  }
  for (const peer of running) await peer.process[Symbol.asyncDispose]()
  const rows = running.flatMap((peer) => PATHS.map((path) => rowOf(peer, path, running)))
  console.table(rows.map(shown))
  const verdicts = OWN.flatMap((own) => PATHS.map((path) => verdictOf(path, own, running)))
  for (const verdict of verdicts) console.log(verdict)
  const load1 = [loadBefore[0] ?? 0, loadavg()[0] ?? 0].map((value) => value.toFixed(1)).join(' before and ')
  const result = {
    conditions: { ...conditions(), rounds: atLeast, secondsPerSample: seconds, connections: 50 },
    notes: [
      'Default configuration of every control; only the connections of one address are raised, because the load comes from one. nginx, HAProxy and Breakwater write a line for each request, nginx and Breakwater to a file; a row shows nginx without. A ratio is the median over the rounds of what was measured side by side in one round; `leastTimesNginx` divides the least of both.',
      'HAProxy stands with `option http-no-delay`: otherwise it lets the kernel hold each event of a stream for up to 200 ms (MSG_MORE), and what the kernel sends by itself is charged to no process.',
      `Load average of the machine: ${load1} after the rounds; the bench alone makes about 2.`,
      ...verdicts,
    ],
    rows,
  }
  writeResult('proxy', result)
  const present = first.peers.filter((peer) => !('absent' in peer.command) && peer.name !== NOT_STREAMED)
  const streaming = await measureStreams(present, FIRST_PROXY_PORT, streams)
  const streamVerdicts = streaming.flatMap(streamVerdictOf)
  for (const verdict of streamVerdicts) console.log(verdict)
  writeResult('proxy', { ...result, notes: [...result.notes, ...streamVerdicts], streaming })
}

interface Row {
  readonly proxy: string
  readonly path: string
  readonly totalUs: number
  readonly leastUs: number
  readonly userUs: number
  readonly leastUserUs: number
  readonly timesNginx: number | undefined
  readonly leastTimesNginx: number | undefined
}

function rowOf(peer: Running, path: (typeof PATHS)[number], running: readonly Running[]): Row {
  const own = peer.samples[path]
  const nginx = running.find(({ name }) => name === 'nginx')?.samples[path] ?? []
  const ratios = own.flatMap(({ totalUs }, round) => {
    const beside = nginx[round]
    return beside === undefined ? [] : [totalUs / beside.totalUs]
  })
  const least = (samples: readonly Sample[]): number => Math.min(...samples.map(({ totalUs }) => totalUs))
  return {
    proxy: peer.name,
    path,
    totalUs: median(own.map(({ totalUs }) => totalUs)),
    leastUs: least(own),
    userUs: median(own.map(({ userUs }) => userUs)),
    leastUserUs: Math.min(...own.map(({ userUs }) => userUs)),
    timesNginx: ratios.length === 0 ? undefined : median(ratios),
    leastTimesNginx: nginx.length === 0 ? undefined : least(own) / least(nginx),
  }
}

function shown({ proxy, path, ...figures }: Row): Record<string, string> {
  const { totalUs, leastUs, userUs, leastUserUs, timesNginx, leastTimesNginx } = figures
  return {
    proxy,
    path,
    'CPU µs': totalUs.toFixed(1),
    least: leastUs.toFixed(1),
    'user µs': userUs.toFixed(1),
    'least user': leastUserUs.toFixed(1),
    '× nginx': timesNginx?.toFixed(2) ?? '–',
    'least × nginx': leastTimesNginx?.toFixed(2) ?? '–',
  }
}

function verdictOf(
  path: (typeof PATHS)[number],
  name: (typeof OWN)[number],
  running: readonly Running[],
): string {
  const nginx = running.find((peer) => peer.name === 'nginx')
  const own = running.find((peer) => peer.name === name)
  if (nginx === undefined || own === undefined) return `${name}, ${path}: nothing to compare with.`
  const totals = nginx.samples[path].map(({ totalUs }) => totalUs)
  const spread = median(totals) / Math.min(...totals) - 1
  const { timesNginx = Number.NaN } = rowOf(own, path, running)
  const figure = `${name}, ${path}: ${timesNginx.toFixed(2)} × nginx, target ${TARGET}`
  if (spread > MAX_SPREAD) {
    return `${figure}. No verdict: the median of nginx itself lies ${(spread * 100).toFixed(0)} % above its least, the machine was busy.`
  }
  return `${figure}: ${timesNginx <= TARGET ? 'met' : 'missed'}.`
}

function streamVerdictOf({ proxy, bytesPerStream, cpuUsPerEvent }: StreamRow): string[] {
  if (!OWN.some((name) => name === proxy)) return []
  const met = (isMet: boolean): string => (isMet ? 'met' : 'missed')
  return [
    `${proxy}, an open stream: ${(bytesPerStream / 1000).toFixed(1)} KB, target ${TARGET_STREAM_BYTES / 1000}: ${met(bytesPerStream <= TARGET_STREAM_BYTES)}; ${cpuUsPerEvent.toFixed(1)} µs an event, target ${TARGET_EVENT_US}: ${met(cpuUsPerEvent <= TARGET_EVENT_US)}.`,
  ]
}
