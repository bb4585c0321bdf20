import { readFileSync } from 'node:fs'

import { isBreakwaterError } from '@breakwater/core'
import { Command, CommanderError } from 'commander'

import { WRONG_USAGE, exitCodeOf } from './exit-code.ts'
import { fileMistake } from './file-mistake.ts'
import { explainMistakes } from './usage.ts'

// Loaded only when asked for: `breakwater config` does not pay for the gateway. The order is that of the help text.
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['up', async () => (await import('./commands/up.ts')).upCommand()],
  ['check', async () => (await import('./commands/check.ts')).checkCommand()],
  ['status', async () => (await import('./commands/resilience.ts')).statusCommand()],
  ['resilience', async () => (await import('./commands/resilience.ts')).resilienceCommand()],
  ['config', async () => (await import('./commands/config.ts')).configCommand()],
  ['threats', async () => (await import('./commands/threats.ts')).threatsCommand()],
  ['drill', async () => (await import('./commands/drill.ts')).drillCommand()],
  ['authz', async () => (await import('./commands/authz/authz.ts')).authzCommand()],
])

/**
 * Does what the words say. Answers with the exit code of what went wrong, `undefined` when nothing did: then what the
 * command set counts.
 */
export async function runProgram(
  words: readonly string[],
  note: (text: string) => void,
): Promise<number | undefined> {
  // `help bogus` is a mistake like `bogus`; the help text alone would not tell.
  const isHelpForNothing = words[0] === 'help' && words[1] !== undefined && !commands.has(words[1])
  const args = isHelpForNothing ? words.slice(1) : words
  const program = new Command('breakwater')
    .description('The production layer for TypeScript backends: gateway, drills and configuration.')
    .version(ownVersion())
    .configureHelp({ showGlobalOptions: true })
  const wanted = commands.get(args[0] ?? '')
  const isVersion = args[0] === '-V' || args[0] === '--version'
  const loaded = wanted !== undefined ? [wanted] : isVersion ? [] : commands.values()
  for (const load of loaded) program.addCommand(await load())
  program.configureOutput({ writeErr: note })
  for (const command of program.commands) shareErrors(program, command)
  explainMistakes(program)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    return report(error, note)
  }
  return undefined
}

function shareErrors(from: Command, to: Command): void {
  const { writeErr } = from.configureOutput()
  if (writeErr !== undefined) to.configureOutput({ writeErr })
  for (const command of to.commands) shareErrors(from, command)
}

function report(error: unknown, note: (text: string) => void): number {
  // What is wrong has been said by then; help and version are no mistakes.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  note(`${failureText(error)}\n`)
  return exitCodeOf(error)
}

function failureText(error: unknown): string {
  if (isBreakwaterError(error)) return `${error.code}: ${error.message}. ${error.spec.fix}`
  const mistake = fileMistake(error)
  if (mistake !== undefined) return `breakwater: ${mistake}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
