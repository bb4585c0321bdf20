import { Command } from 'commander'

import { loadOrComplain } from '../configuration.ts'
import { readCast } from './bola/objects.ts'
import { SimGateway } from './bola/sim-gateway.ts'
import { sweep } from './bola/sweep.ts'
import type { SweepReport } from './bola/sweep.ts'
import { complain, guarded } from './policies.ts'
import type { AuthzContext } from './policies.ts'

interface Flags {
  readonly config?: string
  readonly json?: true
}

const MAX_SHOWN = 20

/** `breakwater authz fuzz-bola`: does anybody reach an object of somebody else, through the gateway as it is configured? */
export function fuzzBolaCommand({ terminal, folder, now }: AuthzContext): Command {
  return new Command('fuzz-bola')
    .description('try every object of others, as every user, by every guarded route, verb and field')
    .option('-c, --config <file>', 'the configuration (default: breakwater.yaml here)')
    .option('--json', 'print JSON')
    .action(
      guarded(terminal, async (flags: Flags) => {
        const loaded = await loadOrComplain(flags.config, terminal, undefined, folder)
        if (loaded === undefined) return
        const { authorization } = loaded.config
        if (authorization.mode === 'off' || authorization.policiesDir === undefined)
          return complain(
            terminal,
            `${loaded.shownFile} names no folder of policies in authorization.policies`,
          )
        const cast = readCast(authorization.policiesDir, authorization.identity)
        if (cast.people.length < 2)
          return complain(
            terminal,
            'examples.json beside the policies names fewer than two users with a tenant',
          )
        const sim = await SimGateway.open(loaded.config, cast.examples, now())
        try {
          const report = await sweep(sim, loaded.config, cast, authorization.identity)
          const json = JSON.stringify({ schemaVersion: 1, ...report }, null, 2)
          terminal.write(flags.json === true ? `${json}\n` : textOf(report))
          terminal.setExitCode(report.leaks.length === 0 ? 0 : 1)
        } finally {
          await sim.close()
        }
      }),
    )
}

function textOf({ routes, users, objects, requests, harmless, leaks }: SweepReport): string {
  const shown = leaks
    .slice(0, MAX_SHOWN)
    .map(
      ({ user, workload, route, method, path, why }) =>
        `  ${user}${workload === undefined ? '' : ` through ${workload}`}: ${method} ${path} (route ${route}): ${why}\n`,
    )
  const more = leaks.length > MAX_SHOWN ? `  and ${leaks.length - MAX_SHOWN} more\n` : ''
  return [
    `${requests} requests by ${users} users for ${objects} objects, over ${routes.join(', ') || 'no guarded route'}\n`,
    `${harmless} went on with nothing of others in them\n`,
    `${leaks.length} leaks\n`,
    ...shown,
    more,
  ].join('')
}
