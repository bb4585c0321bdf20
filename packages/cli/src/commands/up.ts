import process from 'node:process'

import { Command, Option } from 'commander'

import { exitCodeOf } from '../exit-code.ts'
import { openJsonNotes } from '../up/notes.ts'
import type { Notes } from '../up/notes.ts'
import { run } from '../up/run.ts'
import { expectShortLives } from '../up/short-lives.ts'
import { loadOrComplain } from './configuration.ts'
import { processTerminal } from './terminal.ts'

/** `breakwater up`: services, gateway and admin API on this machine, until Ctrl-C. */
export function upCommand(): Command {
  return new Command('up')
    .description('run the gateway, and the services of the configuration, until Ctrl-C')
    .option(
      '-c, --config <file>',
      'the configuration (default: breakwater.yaml or breakwater.config.ts here); the last one counts',
    )
    .addOption(
      new Option('--log <format>', 'how it speaks: text for people, json for machines')
        .choices(['text', 'json'])
        .default('text'),
    )
    .action(async ({ config: named, log }: UpFlags) => {
      const { write, note, complain, fail } =
        log === 'json' ? openJsonNotes((line) => processTerminal.note(line)) : forPeople
      const loaded = await loadOrComplain(named, { ...processTerminal, note: complain })
      if (loaded === undefined) return
      expectShortLives()
      // Whoever read the output may go away (`| head`); the traffic goes on.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
      try {
        await run(loaded, { environment: process.env, write, note, exit: (code) => process.exit(code) })
      } catch (error) {
        fail(error)
        processTerminal.setExitCode(exitCodeOf(error))
      }
    })
}

interface UpFlags {
  readonly config?: string
  readonly log: 'text' | 'json'
}

const forPeople: Notes = {
  write: (text) => processTerminal.write(text),
  note: (text) => processTerminal.note(text),
  complain: (text) => processTerminal.note(text),
  fail: (error) => {
    // Told by the program, as the failures of all commands.
    throw error
  },
}
