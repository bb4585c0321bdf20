import process from 'node:process'

import { findConfigFile, formatPlace, formatProblem, loadConfig } from '@breakwater/contract'
import type { ConfigProblem, Explanation, ResolvedConfig } from '@breakwater/contract'
import { Command } from 'commander'

import { processTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface ConfigDeps {
  readonly terminal?: Terminal
  /** Where the usual file is looked for. Default: the working folder. */
  readonly folder?: string
  /** Variables that override values. Default: those of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

interface ConfigFlags {
  readonly config?: string
  readonly json?: true
}

/** A configuration that cannot be used is the user's to repair, like a wrong option. */
const INVALID = 2

/** `breakwater config validate|print|explain <path>`: what the configuration says, before anything is started. */
export function configCommand(deps: ConfigDeps = {}): Command {
  const { terminal = processTerminal } = deps
  const command = new Command('config').description('check, print or explain the configuration')
  const add = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .option(
        '-c, --config <file>',
        'the configuration (default: breakwater.yaml or breakwater.config.ts here)',
      )
      .option('--json', 'print JSON')

  const addWhole = (name: string, description: string, act: (flags: ConfigFlags) => Promise<void>) =>
    add(name, description)
      .argument('[file]', 'the same as --config <file>')
      .action((file: string | undefined, named: ConfigFlags) =>
        act(file === undefined ? named : { ...named, config: file }),
      )

  addWhole('validate', 'find every mistake, each with its place and a fix', async (flags) => {
    const loaded = await load(flags, deps)
    if (!loaded.ok) return refuse(terminal, flags, loaded.problems)
    const { listeners, upstreams, routes } = loaded.value.config
    const counts = { listeners: listeners.length, upstreams: upstreams.length, routes: routes.length }
    terminal.write(
      flags.json === true
        ? json({ ok: true, file: loaded.file, ...counts })
        : `${loaded.file} is valid: ${Object.entries(counts).map(counted).join(', ')}\n`,
    )
  })

  addWhole('print', 'the whole configuration with every default written out', async (flags) => {
    const loaded = await load(flags, deps)
    if (!loaded.ok) return refuse(terminal, flags, loaded.problems)
    // JSON has no infinity: a limit that is off is `false`, as in the file.
    terminal.write(
      flags.json === true
        ? `${JSON.stringify(loaded.value.config, (_, value: unknown) => (value === Infinity ? false : value), 2)}\n`
        : loaded.value.print(),
    )
  })

  add('explain', 'one setting: its value, where that comes from, what it means')
    .argument('<path>', 'for example routes.orders.timeout')
    .action(async (path: string, flags: ConfigFlags) => {
      const loaded = await load(flags, deps)
      if (!loaded.ok) return refuse(terminal, flags, loaded.problems)
      const explained = loaded.value.explain(path)
      if (!explained.ok) return refuse(terminal, flags, [explained.error])
      terminal.write(flags.json === true ? json({ ...explained.value }) : explanation(explained.value))
    })
  return command
}

type Loaded =
  | { readonly ok: true; readonly file: string; readonly value: ResolvedConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

async function load(flags: ConfigFlags, deps: ConfigDeps): Promise<Loaded> {
  const found = findConfigFile(flags.config, deps.folder ?? process.cwd())
  if (!found.ok) return { ok: false, problems: [found.error] }
  const result = await loadConfig(found.value, deps.environment ?? process.env)
  return result.ok
    ? { ok: true, file: flags.config ?? found.value, value: result.value }
    : { ok: false, problems: result.error }
}

function refuse(terminal: Terminal, flags: ConfigFlags, problems: readonly ConfigProblem[]): void {
  terminal.setExitCode(INVALID)
  if (flags.json === true) return terminal.write(json({ ok: false, problems }))
  for (const problem of problems) terminal.note(`${formatProblem(problem)}\n`)
  if (problems.length > 1) terminal.note(`${problems.length} mistakes\n`)
}

function json(content: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...content }, null, 2)}\n`
}

function counted([kind, count]: readonly [string, number]): string {
  return `${count} ${count === 1 ? kind.slice(0, -1) : kind}`
}

function explanation(setting: Explanation): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['value', setting.value === undefined ? 'not in effect, or left out' : shown(setting.value)],
    ['from', origin(setting)],
    ['meaning', setting.description === '' ? undefined : setting.description],
    ['kind', setting.kind],
    [
      'range',
      setting.range === undefined ? undefined : setting.range + (setting.mayBeOff ? ', or false' : ''),
    ],
    ['default', setting.default === undefined ? undefined : shown(setting.default)],
    ['variable', setting.environment],
    ['keys', setting.keys?.join(', ')],
  ]
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(9)}${text}`]))
  return `${[setting.path, ...lines].join('\n')}\n`
}

function origin({ origin }: Explanation): string {
  if (origin.kind === 'default') return 'default'
  return origin.kind === 'file' ? formatPlace(origin.place) : `the variable ${origin.place.file}`
}

/** Lists and single values as they may be written in the file; of a mapping its keys say enough. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && !Array.isArray(value) ? 'a mapping' : JSON.stringify(value)
}
