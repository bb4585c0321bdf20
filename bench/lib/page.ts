import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Row = Readonly<Record<string, string | number | undefined>>

interface Result {
  readonly conditions: Readonly<Record<string, unknown>>
  /** What a reader must know to read the tables, one paragraph each. */
  readonly notes?: readonly string[]
  readonly rows?: readonly Row[]
  readonly streaming?: readonly Row[]
  readonly growth?: readonly Row[]
  readonly loading?: readonly Row[]
}

const titles: Readonly<Record<string, string>> = {
  proxy: 'Proxying: processor time of the proxy per request',
  resilience: 'Resilience: processor time and allocated bytes per call',
  authz: 'Authorization: one decision',
  'authz-gateway': 'Authorization in the gateway: what it adds to a request',
}

/** `bench/results/*.json` as one page for readers: the tables of the last runs, each with its conditions. */
export function benchmarksPage(): string {
  const sections = Object.entries(titles).flatMap(([name, title]) => {
    const result = readResult(name)
    if (result === undefined) return []
    return [
      `## ${title}`,
      `Run it: \`npm run bench -- ${name.split('-')[0]}\`. Conditions: ${conditionsText(result.conditions)}.`,
      ...(result.notes ?? []),
      ...[result.rows, result.streaming, result.growth, result.loading].flatMap((rows) =>
        rows === undefined ? [] : [table(rows)],
      ),
    ]
  })
  return `${[
    '# Benchmarks',
    'Generated from `bench/results/`. Ratios within one table come from one run and hold; absolute figures belong to the machine.',
    ...sections,
  ].join('\n\n')}\n`
}

function readResult(name: string): Result | undefined {
  const file = join(import.meta.dirname, '..', 'results', `${name}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result) : undefined
}

function conditionsText(conditions: Result['conditions']): string {
  return Object.entries(conditions)
    .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(' ') : String(value)}`)
    .join(', ')
}

function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => cell(row[column])))),
  ].join('\n')
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return '–'
  if (typeof value === 'string' || Number.isInteger(value)) return String(value)
  return value >= 1000 ? String(Math.round(value)) : value.toPrecision(3)
}
