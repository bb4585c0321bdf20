import type { Command } from 'commander'

/** Makes a command, and all below it, answer a wrong word with what happened, what there is, and where to read more. */
export function explainMistakes(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) => write(mistakeText(command, text)),
  })
  for (const part of command.commands) explainMistakes(part)
}

function mistakeText(command: Command, text: string): string {
  const [what = '', ...more] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n')
  const name = nameOf(command)
  const guess = more.map((line) => ` ${line}`).join('')
  return `${name}: ${what}${guess}\n${expected(command, what)}\nMore: ${name} --help\n`
}

function expected(command: Command, what: string): string {
  const help = command.createHelp()
  if (what.startsWith('unknown command')) {
    const names = help.visibleCommands(command).map((part) => part.name())
    return `Commands: ${names.join(', ')}`
  }
  if (what.startsWith('unknown option')) {
    const flags = help.visibleOptions(command).map(({ long, short }) => long ?? short ?? '')
    return `Options: ${flags.join(', ')}`
  }
  return `Usage: ${help.commandUsage(command)}`
}

/** `breakwater config print` */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}
