import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { which } from './process.ts'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** What a reader must know to judge the figures: machine, versions, load at the time. */
export function conditions(): Record<string, unknown> {
  return {
    date: new Date().toISOString(),
    node: process.version,
    kernel: release(),
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAverage: loadavg().map((value) => Number(value.toFixed(2))),
    nginx: versionOf('nginx', '-v'),
    haproxy: versionOf('haproxy', '-v'),
    network: 'loopback',
  }
}

function versionOf(program: string, flag: string): string {
  const path = which(program)
  if (path === undefined) return 'absent'
  const text = execFileSync('sh', ['-c', `${path} ${flag} 2>&1 | head -1`]).toString()
  return text.trim()
}

/** Writes `bench/results/<name>.json`. */
export function writeResult(name: string, result: unknown): void {
  const folder = join(import.meta.dirname, '..', 'results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify(result, null, 2) + '\n')
  console.log(`written to bench/results/${name}.json`)
}
