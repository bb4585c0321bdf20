import process from 'node:process'

import { findConfigFile } from '@breakwater/contract'
import { Command } from 'commander'

import { AdminClient } from '../admin-client.ts'
import { ladderText, laddersOf } from '../resilience/ladder.ts'
import { statusText } from '../resilience/status-text.ts'
import { loadOrComplain } from './configuration.ts'
import { processTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface ResilienceDeps {
  readonly terminal?: Terminal
}

interface StatusFlags {
  readonly admin?: string
  readonly config?: string
  readonly json?: true
}

const CONFIG = [
  '-c, --config <file>',
  'the configuration (default: breakwater.yaml or breakwater.config.ts here)',
] as const

/** `breakwater status`: how the controls of a running gateway stand. */
export function statusCommand({ terminal = processTerminal }: ResilienceDeps = {}): Command {
  return new Command('status')
    .description('breakers, budgets, bulkheads and pools of the gateway that runs')
    .option('--admin <url>', 'its admin API (default: that of the configuration, or http://127.0.0.1:9901)')
    .option(...CONFIG)
    .option('--json', 'print JSON')
    .action(async (flags: StatusFlags) => {
      const client = await clientFor(flags, terminal)
      if (client === undefined) return
      const status = await client.status()
      terminal.write(flags.json === true ? json(status) : statusText(status, client.url))
    })
}

/** `breakwater resilience status|ladder`: what the controls do, and what each route falls back to. */
export function resilienceCommand(deps: ResilienceDeps = {}): Command {
  const { terminal = processTerminal } = deps
  const command = new Command('resilience').description(
    'show breakers, budgets and pools, or the degradation ladders',
  )
  command.addCommand(statusCommand(deps))
  command
    .command('ladder')
    .description('what each route serves, in this order, when it cannot serve all')
    .option(...CONFIG)
    .option('--json', 'print JSON')
    .action(async (flags: { readonly config?: string; readonly json?: true }) => {
      const loaded = await loadOrComplain(flags.config, terminal)
      if (loaded === undefined) return
      const ladders = laddersOf(loaded.config)
      terminal.write(flags.json === true ? json({ schemaVersion: 1, ladders }) : ladderText(ladders))
    })
  return command
}

/** The configuration is only asked for where the gateway answers; without one the usual address is tried. */
async function clientFor(flags: StatusFlags, terminal: Terminal): Promise<AdminClient | undefined> {
  const isConfigured = flags.config !== undefined || findConfigFile(undefined, process.cwd()).ok
  if (!isConfigured) return AdminClient.of(undefined, flags.admin, process.env)
  const loaded = await loadOrComplain(flags.config, terminal)
  return loaded && AdminClient.of(loaded.config.admin, flags.admin, process.env)
}

function json(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`
}
