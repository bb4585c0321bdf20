import { editDistance } from '@breakwater/core'
import { parse } from 'yaml'
import type { z } from 'zod'

import type { ConfigProblem } from './problem.ts'
import { valueAt } from './source.ts'
import { inspect } from './walk.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `['routes', 'chat', 'perTryTimeout']` → `BREAKWATER_ROUTES_CHAT_PER_TRY_TIMEOUT` */
export function environmentName(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/[A-Z]/g, '_$&').replaceAll('-', '_').toUpperCase())
  return ['BREAKWATER', ...words].join('_')
}

/** What the environment replaces: the value with the overrides in it, and which variable stands behind which path. */
export interface Overridden {
  readonly value: unknown
  /** Variable by dotted path. */
  readonly names: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
}

/**
 * Puts `BREAKWATER_<PATH>` variables over the values of the file. A variable holds what would stand after the colon.
 * Only names that the file has can be overridden, and never secrets. Variables that Kubernetes makes for services
 * (`BREAKWATER_ADMIN_PORT=tcp://…`) are left alone.
 */
export function applyEnvironment(root: z.ZodType, value: unknown, environment: Environment): Overridden {
  const given = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith('BREAKWATER_') && entry[1] !== undefined && !entry[1].startsWith('tcp://'),
  )
  if (given.length === 0) return { value, names: new Map(), problems: [] }
  const paths = new Map(leafPaths(root, value, []).map((path) => [environmentName(path), path]))
  const result = structuredClone(value)
  const names = new Map<string, string>()
  const problems: ConfigProblem[] = []
  for (const [name, text] of given) {
    const path = paths.get(name)
    if (path !== undefined) {
      setAt(result, path, readText(text))
      names.set(path.join('.'), name)
      continue
    }
    const near = [...paths.keys()].find((known) => editDistance(known, name) <= 2)
    if (near !== undefined) {
      problems.push({
        file: name,
        path: '',
        code: 'BW_CONFIG_KEY_UNKNOWN',
        message: 'this variable overrides nothing',
        guess: near,
        fix: `Set ${near}, or unset ${name}.`,
      })
    }
  }
  return { value: result, names, problems }
}

function readText(text: string): unknown {
  try {
    return parse(text, { logLevel: 'silent' }) as unknown
  } catch {
    return text
  }
}

function leafPaths(
  schema: z.ZodType,
  value: unknown,
  path: readonly string[],
): readonly (readonly string[])[] {
  const { fields, member, info } = inspect(schema)
  if (info?.isSecret === true) return []
  if (member !== undefined) {
    const names = Object.keys(valueAt(value, path) ?? {})
    return names.flatMap((name) => leafPaths(member, value, [...path, name]))
  }
  if (fields === undefined) return [path]
  const below = [...fields].flatMap(([key, field]) => leafPaths(field, value, [...path, key]))
  return info?.isControl === true ? [path, ...below] : below
}

function setAt(root: unknown, path: readonly string[], value: unknown): void {
  let current = root as Record<string, unknown>
  for (const key of path.slice(0, -1)) {
    const next = current[key]
    if (typeof next !== 'object' || next === null) current[key] = {}
    current = current[key] as Record<string, unknown>
  }
  const last = path.at(-1)
  if (last !== undefined) current[last] = value
}
