import { failed, guess, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'

import { environmentName } from './environment.ts'
import { formatPath } from './problem.ts'
import type { ConfigProblem, Place } from './problem.ts'
import { gatewaySchema } from './schema/schema.ts'
import { valueAt } from './source.ts'
import type { ConfigSource } from './source.ts'
import { inspect, nodeAt } from './walk.ts'

/** Everything there is to know about one setting. */
export interface Explanation {
  readonly path: string
  /** In the words of the file. `undefined`: not in effect (something above it is off) or left out. */
  readonly value: unknown
  readonly origin:
    | { readonly kind: 'file' | 'environment'; readonly place: Place }
    | { readonly kind: 'default' }
  readonly description: string
  /** For people: `duration`, `whole number` … */
  readonly kind: string
  readonly range?: string
  readonly default?: unknown
  /** Whether `false` means: no limit. */
  readonly mayBeOff: boolean
  /** The variable that overrides it, for single values. */
  readonly environment?: string
  /** Keys of a section. */
  readonly keys?: readonly string[]
}

interface Known {
  readonly effective: unknown
  readonly source: ConfigSource
  readonly overrides: ReadonlyMap<string, string>
}

/** @internal */
export function explainPath(text: string, known: Known): Result<Explanation, ConfigProblem> {
  const path = parsePath(text)
  const schemaPath = path.filter((key, index) => !(typeof key === 'number' && index === path.length - 1))
  const node = nodeAt(gatewaySchema, schemaPath)
  const missing = node === undefined ? path : missingName(path, known)
  if (node === undefined || missing !== undefined) return failed(unknownPath(text, path, known))
  const isSingle = node.fields === undefined && node.member === undefined
  return ok({
    path: formatPath(path),
    value: valueAt(known.effective, path),
    origin: originOf(path, known),
    description: node.description ?? '',
    kind: node.info?.kind ?? (node.member === undefined ? 'section' : 'mapping from names'),
    ...(node.info?.range === undefined ? {} : { range: node.info.range }),
    ...(node.default === undefined || !isSingle ? {} : { default: node.default }),
    mayBeOff: node.info?.mayBeOff === true || node.info?.isControl === true,
    ...(isSingle && node.info?.isSecret !== true
      ? { environment: environmentName(schemaPath.map(String)) }
      : {}),
    ...(node.fields === undefined ? {} : { keys: [...node.fields.keys()] }),
    ...(node.member === undefined ? {} : { keys: Object.keys(valueAt(known.effective, path) ?? {}) }),
  })
}

function parsePath(text: string): readonly (string | number)[] {
  return text
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key))
}

/** A name (of a route, an upstream …) that the file does not have. */
function missingName(path: readonly (string | number)[], { effective }: Known): string | undefined {
  for (const [index, key] of path.entries()) {
    const isNameLevel = nodeAt(gatewaySchema, path.slice(0, index))?.member !== undefined
    if (isNameLevel && valueAt(effective, path.slice(0, index + 1)) === undefined) return String(key)
  }
  return undefined
}

function originOf(path: readonly (string | number)[], { source, overrides }: Known): Explanation['origin'] {
  for (let length = path.length; length > 0; length -= 1) {
    const variable = overrides.get(path.slice(0, length).join('.'))
    if (variable !== undefined) return { kind: 'environment', place: { file: variable } }
  }
  if (source.has(path)) return { kind: 'file', place: source.place(path, 'value') }
  const above = path.slice(0, -1)
  // `hedge: false` and `match: /orders` in the file decide what is below them.
  if (above.length > 1 && source.has(above) && !isMapping(valueAt(source.value, above))) {
    return { kind: 'file', place: source.place(above, 'value') }
  }
  return { kind: 'default' }
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function unknownPath(
  text: string,
  path: readonly (string | number)[],
  { effective, source }: Known,
): ConfigProblem {
  let schema: Parameters<typeof inspect>[0] = gatewaySchema
  const walked: (string | number)[] = []
  for (const key of path) {
    const { fields, member } = inspect(schema)
    const names = fields === undefined ? Object.keys(valueAt(effective, walked) ?? {}) : [...fields.keys()]
    const next = fields === undefined ? member : fields.get(String(key))
    if (next === undefined || !names.includes(String(key))) {
      const meant = guess(String(key), names)
      const here = walked.length === 0 ? 'at the top' : `in ${formatPath(walked)}`
      return {
        file: source.file,
        path: text,
        code: 'BW_CONFIG_KEY_UNKNOWN',
        message: `there is no "${key}" ${here}`,
        ...(meant === undefined ? {} : { guess: formatPath([...walked, meant]) }),
        fix: names.length === 0 ? 'Ask for a shorter path.' : `Choose one of: ${names.join(', ')}.`,
      }
    }
    schema = next
    walked.push(key)
  }
  return {
    file: source.file,
    path: text,
    code: 'BW_CONFIG_KEY_UNKNOWN',
    message: 'there is no such setting',
    fix: 'Ask for a shorter path.',
  }
}
