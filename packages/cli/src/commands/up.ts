import process from 'node:process'

import { Command } from 'commander'

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
    .action(async ({ config: named }: { readonly config?: string }) => {
      const loaded = await loadOrComplain(named, processTerminal)
      if (loaded === undefined) return
      expectShortLives()
      // Whoever read the output may go away (`| head`); the traffic goes on.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
      await run(loaded, {
        environment: process.env,
        write: (text) => processTerminal.write(text),
        note: (text) => processTerminal.note(text),
        exit: (code) => process.exit(code),
      })
    })
}
