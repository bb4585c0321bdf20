import type { ConfigProblemCode } from '../errors.ts'

/** Where something stands. Line and column count from 1; files without positions have neither. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** One mistake in a configuration. Safe to log: it never repeats the value of a secret. */
export interface ConfigProblem extends Place {
  /** As in the file: `routes.orders.timeout`. Empty for the file as a whole. */
  readonly path: string
  readonly code: ConfigProblemCode
  /** What is wrong, with the value and the limit. */
  readonly message: string
  /** What was probably meant. */
  readonly guess?: string
  /** One imperative sentence. */
  readonly fix: string
}

/** `breakwater.yaml:7:5 routes.orders.timeot: unknown key; did you mean timeout? Write timeout.` */
export function formatProblem(problem: ConfigProblem): string {
  const subject = problem.path === '' ? ':' : ` ${problem.path}:`
  const meant = problem.guess === undefined ? '.' : `; did you mean ${problem.guess}?`
  return `${formatPlace(problem)}${subject} ${problem.message}${meant} ${problem.fix}`
}

export function formatPlace({ file, line, column }: Place): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`
}

/** In the order of the file. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const key = ({ line = 0, column = 0 }: ConfigProblem) => line * 100_000 + column
  return [...problems].sort((a, b) => key(a) - key(b))
}

/** `['routes', 'orders', 'match', 0]` → `routes.orders.match[0]` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  )
}

/** A value as it may be shown: scalars in full (short), containers by kind. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}
