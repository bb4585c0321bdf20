import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { checkRegister, rowsOf } from '@breakwater/drill'
import type { Register } from '@breakwater/drill'
import { Command } from 'commander'

import { processTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface ThreatsDeps {
  readonly terminal?: Terminal
  readonly loadRegister?: () => Promise<Register>
}

/** `breakwater threats list|check`: what is defended against, with what, and what shows it. */
export function threatsCommand(deps: ThreatsDeps = {}): Command {
  const { terminal = processTerminal, loadRegister = loadOwnRegister } = deps
  const command = new Command('threats').description('show the threat register, or check that it is whole')
  command
    .command('list')
    .description('every threat with its controls, their code and its drills')
    .option('--json', 'print JSON')
    .action(async (options: { readonly json?: true }) => {
      const rows = rowsOf(await loadRegister())
      terminal.write(
        options.json === true ? `${JSON.stringify({ schemaVersion: 1, rows }, null, 2)}\n` : listed(rows),
      )
    })
  command
    .command('check')
    .description('fail when a threat, a control or a drill is orphaned')
    .option('--json', 'print JSON')
    .option(
      '--root <folder>',
      'the checkout whose code the controls point to (default: the one this runs from)',
    )
    .action(async (options: { readonly json?: true; readonly root?: string }) => {
      const root = options.root ?? findCheckout(import.meta.dirname)
      if (root === undefined)
        return command.error(
          'threats check reads the source code: run it in a checkout, or name one with --root.',
        )
      const register = await loadRegister()
      const orphans = checkRegister(register, (path) => readIfThere(join(root, path)))
      terminal.write(
        options.json === true
          ? `${JSON.stringify({ schemaVersion: 1, orphans }, null, 2)}\n`
          : orphans.length > 0
            ? orphans.map(({ kind, id, problem, fix }) => `${kind} ${id}: ${problem}. ${fix}\n`).join('')
            : `${counted(register)}: nothing is orphaned\n`,
      )
      terminal.setExitCode(orphans.length === 0 ? 0 : 1)
    })
  return command
}

async function loadOwnRegister(): Promise<Register> {
  return (await import('../register.ts')).register
}

function listed(rows: ReturnType<typeof rowsOf>): string {
  return rows
    .map(({ threat, controls, drills }) =>
      [
        `${threat.id}: ${threat.title}`,
        ...controls.map(({ id, code }) => `  control  ${id}  ${code}`),
        ...drills.map(
          ({ id, lab, controls: exercised }) => `  drill    ${id}  (${lab}; ${exercised.join(', ')})`,
        ),
        `  open     ${threat.notCovered}`,
        '',
      ].join('\n'),
    )
    .join('\n')
}

function counted({ threats, controls, drills }: Register): string {
  return `${threats.length} threats, ${controls.length} controls, ${drills.length} drills`
}

/** The nearest folder above that holds the catalogue of threats as source. */
function findCheckout(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'packages/contract/src/threats.ts'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
