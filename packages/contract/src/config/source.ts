import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node, Pair, YAMLError, YAMLWarning } from 'yaml'

import type { ConfigProblem, Place } from './problem.ts'

/** A configuration as it was written: its values, and where each of them stands. */
export interface ConfigSource {
  /** The name that messages use. */
  readonly file: string
  /** Plain objects, lists and scalars. `undefined` when the text cannot be read at all. */
  readonly value: unknown
  readonly problems: readonly ConfigProblem[]
  /** Where the value (or the key) at this path stands; the nearest thing above it when it is not there itself. */
  place(path: readonly PropertyKey[], part: 'key' | 'value'): Place
  /** Whether something stands at exactly this path. */
  has(path: readonly PropertyKey[]): boolean
}

/** A source without positions, such as the object of `breakwater.config.ts`. */
export function objectSource(value: unknown, file: string): ConfigSource {
  return {
    file,
    value,
    problems: [],
    place: () => ({ file }),
    has: (path) => valueAt(value, path) !== undefined,
  }
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Readonly<Record<PropertyKey, unknown>>)[key]
  }
  return current
}

// The parser's own messages may quote the text, and the text may hold a secret: only the code is taken from it.
const syntaxMessages: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias that nothing is anchored to',
  BAD_DQ_ESCAPE: 'an unknown escape in double quotes',
  BAD_INDENT: 'wrong indentation',
  BAD_SCALAR_START: 'a plain value may not begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping on one line; begin a new line after the colon',
  BLOCK_IN_FLOW: 'an indented block inside brackets',
  MISSING_CHAR: 'a missing colon, quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that runs over several lines; is a colon missing?',
  MULTIPLE_DOCS: 'a second document; only one is allowed',
  TAB_AS_INDENT: 'a tab in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag',
  UNEXPECTED_TOKEN: 'something that does not belong here',
}

function syntaxMessage({ code, message }: YAMLError | YAMLWarning): string {
  // The parser calls it indentation, because what follows would have to be indented to belong inside.
  if (code === 'BAD_INDENT' && message.startsWith('Flow ')) return 'a bracket or brace above is not closed'
  return syntaxMessages[code] ?? 'not YAML'
}

/** Reads YAML 1.2. Never throws: what is wrong is in `problems`. */
export function yamlSource(text: string, file: string): ConfigSource {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // Anything below this also hides a second document.
    logLevel: 'error',
  })
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems = meaningful(document).map((error): ConfigProblem => {
    const isDuplicate = error.code === 'DUPLICATE_KEY'
    return {
      ...placeOf(error.pos[0]),
      path: '',
      code: isDuplicate ? 'BW_CONFIG_KEY_DUPLICATE' : 'BW_CONFIG_SYNTAX_INVALID',
      message: isDuplicate ? 'this key was already given' : syntaxMessage(error),
      fix: isDuplicate ? 'Keep one of the two.' : syntaxFix(text, error.pos[0]),
    }
  })
  let value: unknown
  const isReadable = document.errors.every((error) => error.code === 'DUPLICATE_KEY')
  if (isReadable) {
    try {
      value = document.toJS({ maxAliasCount: 100 }) as unknown
    } catch {
      problems.push({
        ...placeOf(0),
        path: '',
        code: 'BW_CONFIG_SYNTAX_INVALID',
        message: 'aliases that do not end or are too many (limit 100)',
        fix: 'Write the repeated parts out.',
      })
    }
  }
  return {
    file,
    value,
    problems,
    place: (path, part) => placeOf(findOffset(document, path, part) ?? 0),
    has: (path) => {
      const { depth } = descend(document, path)
      return depth === path.length
    },
  }
}

/** After the first break in the syntax the parser guesses: what it reports then is noise. */
function meaningful(document: Document.Parsed): readonly (YAMLError | YAMLWarning)[] {
  const all = [...document.errors, ...document.warnings]
  const first = all.findIndex((error) => error.code !== 'DUPLICATE_KEY')
  return first < 0 ? all : all.slice(0, first + 1)
}

function syntaxFix(text: string, offset: number): string {
  const end = text.indexOf('\n', offset)
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, end < 0 ? text.length : end)
  return /[{,].*\{\w+\}/.test(line)
    ? 'Put text that holds { and } in quotes, for example "/orders/{id}".'
    : 'Correct the YAML here.'
}

interface Found {
  readonly pair: Pair | undefined
  readonly node: Node | undefined
  readonly depth: number
}

function descend(document: Document.Parsed, path: readonly PropertyKey[]): Found {
  let node: Node | undefined = document.contents ?? undefined
  let pair: Pair | undefined
  let depth = 0
  for (const key of path) {
    const target: Node | undefined = isAlias(node) ? node.resolve(document) : node
    if (isMap(target)) {
      const next: Pair | undefined = target.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === key,
      )
      if (next === undefined) break
      pair = next
      node = (next.value as Node | null) ?? undefined
    } else if (isSeq(target) && typeof key === 'number' && target.items[key] !== undefined) {
      node = target.items[key] as Node
      pair = undefined
    } else {
      break
    }
    depth += 1
  }
  return { pair, node, depth }
}

function findOffset(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  part: 'key' | 'value',
): number | undefined {
  const { pair, node, depth } = descend(document, path)
  const keyNode = pair?.key as Node | undefined
  // Something that is missing is reported at the key of what should hold it.
  const wantsKey = part === 'key' || depth < path.length || node === undefined
  const chosen = wantsKey ? (keyNode ?? node) : (node ?? keyNode)
  return chosen?.range?.[0]
}
