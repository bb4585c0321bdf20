import { guess } from '@breakwater/core'
import type { z } from 'zod'

import { formatPath, show } from './problem.ts'
import type { ConfigProblem } from './problem.ts'
import { valueAt } from './source.ts'
import type { ConfigSource } from './source.ts'
import { inspect, isSecretPath, nodeAt } from './walk.ts'
import type { SchemaNode } from './walk.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Turns what zod found into problems with places, guesses and fixes. Values of secrets are not in them. */
export function problemsFrom(
  issues: readonly Issue[],
  root: z.ZodType,
  source: ConfigSource,
  value: unknown,
): readonly ConfigProblem[] {
  return issues.flatMap((issue) => convert(issue, [], { root, source, value }))
}

interface Context {
  readonly root: z.ZodType
  readonly source: ConfigSource
  readonly value: unknown
}

function convert(issue: Issue, prefix: Path, context: Context): readonly ConfigProblem[] {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], issue.keys, context))
  }
  if (issue.code === 'invalid_union') {
    const branch = likelyBranch(issue.errors)
    if (branch !== undefined) return branch.flatMap((inner) => convert(inner, path, context))
    return [invalidValue(path, unionMessage(issue), context)]
  }
  if (issue.code === 'invalid_key') {
    const reason = issue.issues[0]?.message ?? issue.message
    return [
      {
        ...context.source.place(path, 'key'),
        path: formatPath(path),
        code: 'BW_CONFIG_VALUE_INVALID',
        message: `not a good name: ${reason}`,
        fix: renameFix(String(path.at(-1))),
      },
    ]
  }
  return [invalidValue(path, expectation(issue), context)]
}

function renameFix(name: string): string {
  const better = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63)
  return better === '' ? 'Rename it.' : `Rename it, for example to ${better}.`
}

/** The form that was probably meant: one whose own kind fits, with the fewest mistakes inside. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) =>
      issues.length > 0 &&
      !issues.some(
        ({ path, code }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value'),
      ) &&
      !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_union'),
  )
  return fitting.sort((a, b) => a.length - b.length)[0]
}

function unionMessage(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if (issue.message !== 'Invalid input') return issue.message
  const reasons = issue.errors
    .flat()
    .map((inner) => (inner.code === 'invalid_union' ? unionMessage(inner) : expectation(inner)))
    .map((message) => message.replace(/^expected /, ''))
  const words = [...new Set(reasons)].sort((a, b) => Number(isToggle(a)) - Number(isToggle(b)))
  return `expected ${words.join(', or ')}`
}

function isToggle(text: string): boolean {
  return /^(true|false)/.test(text)
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid'))
    return `expected ${issue.values.join(' or ')}`
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid'))
    return `expected ${kindName(issue.expected)}`
  return issue.message
}

function kindName(expected: string): string {
  if (expected === 'boolean') return 'true or false'
  if (expected === 'string') return 'text'
  if (expected === 'array') return 'a list'
  return expected === 'object' || expected === 'record' ? 'a mapping' : `a ${expected}`
}

function unknownKey(path: Path, unknown: readonly string[], { root, source, value }: Context): ConfigProblem {
  const key = String(path.at(-1))
  const parent = path.slice(0, -1)
  const fields = nodeAt(root, parent)?.fields ?? new Map<string, z.ZodType>()
  const present = Object.keys(valueAt(value, parent) ?? {}).filter((name) => !unknown.includes(name))
  const free = [...fields.keys()].filter((name) => !present.includes(name))
  const withoutUnit = key.replace(/(Ms|Millis|Seconds|Bytes|PerSecond|BytesPerSecond|File|Dir)$/, '')
  const meant = fields.has(withoutUnit) ? withoutUnit : (guess(key, free) ?? guess(key, present))
  const home = meant === undefined ? homeOf(key, root) : undefined
  return {
    ...source.place(path, 'key'),
    path: formatPath(path),
    code: 'BW_CONFIG_KEY_UNKNOWN',
    message: home === undefined ? 'unknown key' : `unknown key here; it belongs into ${home}`,
    ...(meant === undefined ? {} : { guess: meant }),
    fix: unknownKeyFix(meant, present, home, fields),
  }
}

function unknownKeyFix(
  meant: string | undefined,
  present: readonly string[],
  home: string | undefined,
  fields: ReadonlyMap<string, unknown>,
): string {
  if (meant !== undefined)
    return present.includes(meant) ? `Remove it: ${meant} is already there.` : `Write ${meant}.`
  if (home !== undefined) return 'Move it there.'
  return fields.size === 0 ? 'Remove it.' : `Remove it, or write one of: ${[...fields.keys()].join(', ')}.`
}

/** Where a key that is unknown here is known, when that is one place or two. */
function homeOf(key: string, root: z.ZodType): string | undefined {
  const homes: string[] = []
  const visit = (schema: z.ZodType, path: string) => {
    const { fields, member } = inspect(schema)
    if (member !== undefined) visit(member, `${path}.<name>`)
    for (const [name, field] of fields ?? []) {
      if (name === key) homes.push(path === '' ? 'the top of the file' : path)
      visit(field, path === '' ? name : `${path}.${name}`)
    }
  }
  visit(root, '')
  return homes.length === 1 || homes.length === 2 ? homes.join(' or ') : undefined
}

function invalidValue(path: Path, message: string, { root, source, value }: Context): ConfigProblem {
  const node = nodeAt(root, path)
  const written = valueAt(value, path)
  const common = { path: formatPath(path) } as const
  const wanted = message.replace(/^expected /, '')
  if (written === undefined && !source.has(path)) {
    return {
      ...source.place(path, 'value'),
      ...common,
      code: 'BW_CONFIG_KEY_MISSING',
      message: `is missing (${message})`,
      fix: `Add ${String(path.at(-1) ?? 'it')}${node?.description === undefined ? '.' : `: ${node.description}`}`,
    }
  }
  const isSecret = isSecretPath(root, path)
  const shown = isSecret ? 'the value (not shown)' : show(written)
  const meant = meantValue(written, wanted)
  return {
    ...source.place(path, 'value'),
    ...common,
    code: 'BW_CONFIG_VALUE_INVALID',
    message: invalidMessage(written, shown, message),
    ...(meant === undefined ? {} : { guess: meant }),
    fix: isSecret ? 'Write { env: NAME } or { file: path }.' : valueFix(message, node, path, meant),
  }
}

function invalidMessage(written: unknown, shown: string, message: string): string {
  if (written === null || written === undefined) return `is empty (${message})`
  return message.startsWith('expected ')
    ? `${shown} is not ${message.slice('expected '.length)}`
    : `${shown}: ${message}`
}

function valueFix(
  message: string,
  node: SchemaNode | undefined,
  path: Path,
  meant: string | undefined,
): string {
  if (meant !== undefined) return `Write ${meant}.`
  if (message.startsWith('must be ')) return `Choose ${message.slice('must be '.length)}.`
  const fallback = node?.default
  const needed = [...(node?.fields ?? [])]
    .filter(([, field]) => inspect(field).isRequired)
    .map(([key]) => key)
  if (needed.length > 0 && message.includes('mapping')) return `Write a mapping with ${needed.join(' and ')}.`
  const isSimple =
    typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean'
  if (isSimple) return `Write for example ${String(fallback)}, or leave it out.`
  if (message.startsWith('expected ')) return `Write ${message.slice('expected '.length)}.`
  const setting = path.filter((key) => typeof key !== 'number').join('.')
  return `Correct it; the reference tells what ${setting} may hold.`
}

/** Units that were forgotten or spelt another way, and words that were misspelt. */
function meantValue(written: unknown, wanted: string): string | undefined {
  if (wanted.startsWith('a duration')) {
    if (typeof written === 'number' && Number.isInteger(written) && written >= 0) return `${written}ms`
    const [, amount, unit] =
      /^(\d+) ?(ms|s|m|h|d|sec|seconds?|min|minutes?|hours?|days?|millis)$/i.exec(String(written)) ?? []
    if (amount !== undefined && unit !== undefined)
      return amount + (/^(ms|millis)$/i.test(unit) ? 'ms' : unit[0]?.toLowerCase())
  }
  if (wanted.startsWith('a size')) {
    if (typeof written === 'number' && Number.isInteger(written) && written >= 0) return `${written}B`
    const [, amount, unit] = /^(\d+) ?(k|m|g)i?b?$/i.exec(String(written)) ?? []
    if (amount !== undefined && unit !== undefined) return `${amount}${unit.toUpperCase()}iB`
  }
  if (wanted.startsWith('one of ') && typeof written === 'string') {
    return guess(written, wanted.slice('one of '.length).split(', '))
  }
  return undefined
}
