/**
 * The `breakwater` command: which words there are, and where each of them lives.
 *
 * Exit codes: 0 all is well · 1 it failed, or what was checked is not well · 2 wrong usage or configuration.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'

import { isBreakwaterError } from '@breakwater/core'
import { Command, CommanderError } from 'commander'

// Loaded only when asked for: `breakwater config` does not pay for the gateway. The order is that of the help text.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand(),
  check: async () => (await import('./commands/check.ts')).checkCommand(),
  status: async () => (await import('./commands/resilience.ts')).statusCommand(),
  resilience: async () => (await import('./commands/resilience.ts')).resilienceCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  threats: async () => (await import('./commands/threats.ts')).threatsCommand(),
  drill: async () => (await import('./commands/drill.ts')).drillCommand(),
  authz: async () => (await import('./commands/authz/authz.ts')).authzCommand(),
}

const WRONG_USAGE = 2

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('breakwater')
    .description('The production layer for TypeScript backends: gateway, drills and configuration.')
    .version(ownVersion())
    .configureHelp({ showGlobalOptions: true })
  const wanted = commands[args[0] ?? '']
  const isVersion = args[0] === '-V' || args[0] === '--version'
  const loaded = wanted !== undefined ? [wanted] : isVersion ? [] : Object.values(commands)
  for (const load of loaded) program.addCommand(await load())
  for (const command of withDescendants(program)) command.exitOverride()
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

function withDescendants(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withDescendants)]
}

function report(error: unknown): number {
  // Commander has already said what is wrong; help and version are no mistakes.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  if (isBreakwaterError(error)) {
    process.stderr.write(`${error.code}: ${error.message}. ${error.spec.fix}\n`)
    return error.code.startsWith('BW_CONFIG_') ? WRONG_USAGE : 1
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

await main(process.argv.slice(2))
