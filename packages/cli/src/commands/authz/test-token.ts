import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { TestIssuer } from '@breakwater/gateway'
import { Command } from 'commander'

import { complain, guarded } from './policies.ts'
import type { AuthzContext } from './policies.ts'

interface Flags {
  readonly key: string
  readonly newKey?: boolean
  readonly user?: string
  readonly workload?: string
  readonly tenant?: string
  readonly audience: string
  readonly seconds: string
}

/** `breakwater authz test-token`: a token of a test issuer, for trials. It asks nobody whether it is true. */
export function testTokenCommand({ terminal, folder, now }: AuthzContext): Command {
  return new Command('test-token')
    .description('make a token for trials, signed by an issuer that says it is a test')
    .requiredOption('--key <file>', 'private key of the test issuer (PEM)')
    .option('--new-key', 'make the key, and print what authorization.identity.testIssuer.publicKey needs')
    .option('--user <id>', 'a token of this user, for Authorization')
    .option('--workload <id>', 'a token of this workload, for Workload-Authorization')
    .option('--tenant <id>', 'the tenant it speaks for')
    .option('--audience <name>', 'name of the gateway it is for', 'breakwater')
    .option('--seconds <number>', 'how long it counts', '3600')
    .action(
      guarded(terminal, (flags: Flags) => {
        const file = resolve(folder, flags.key)
        if (flags.newKey === true) {
          if (existsSync(file)) return complain(terminal, `${flags.key} is there already`)
          const { issuer, privateKey } = TestIssuer.create()
          writeFileSync(file, privateKey, { mode: 0o600, flag: 'wx' })
          terminal.write(`${issuer.publicKey}\n`)
          return undefined
        }
        const { user, workload, tenant, audience } = flags
        const subject = user ?? workload
        const validForMs = Number(flags.seconds) * 1000
        if (subject === undefined || (user !== undefined && workload !== undefined))
          return complain(terminal, 'give either --user or --workload: a token is of one of them')
        if (!(validForMs > 0)) return complain(terminal, `--seconds ${flags.seconds} is not a number above 0`)
        const kind = user === undefined ? 'workload' : 'user'
        const claims = {
          kind,
          subject,
          audience,
          validForMs,
          ...(tenant !== undefined && { tenant }),
        } as const
        terminal.write(`${new TestIssuer(readFileSync(file, 'utf8')).sign(claims, now())}\n`)
        return undefined
      }),
    )
}
