import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'

import { TestIssuer, openTestIssuer } from '@breakwater/gateway'
import { Command } from 'commander'

import { loadOrComplain } from '../configuration.ts'
import { Mistake, complain, guarded } from './policies.ts'
import type { AuthzContext } from './policies.ts'

interface Flags {
  readonly config?: string
  readonly key?: string
  readonly newKey?: boolean
  readonly user?: string
  readonly workload?: string
  readonly tenant?: string
  readonly audience?: string
  readonly seconds: string
}

interface Source {
  readonly issuer: TestIssuer
  readonly audience: string
}

/** `breakwater authz test-token`: a token of a test issuer, for trials. It asks nobody whether it is true. */
export function testTokenCommand(context: AuthzContext): Command {
  const { terminal, folder, now } = context
  return new Command('test-token')
    .description('make a token for trials, signed by an issuer that says it is a test')
    .option(
      '-c, --config <file>',
      'the gateway it is for: its key folder (made when it is missing) and audience (default: breakwater.yaml here)',
    )
    .option('--key <file>', 'private key of the test issuer (PEM), instead of a configuration')
    .option('--new-key', 'make that key, and print what authorization.identity.testIssuer.publicKey needs')
    .option('--user <id>', 'a token of this user, for Authorization')
    .option('--workload <id>', 'a token of this workload, for Workload-Authorization')
    .option('--tenant <id>', 'the tenant it speaks for')
    .option('--audience <name>', 'name of the gateway it is for (default: that of the configuration)')
    .option('--seconds <number>', 'how long it counts', '3600')
    .action(
      guarded(terminal, async (flags: Flags) => {
        if (flags.newKey === true) return newKey(context, flags.key)
        const { user, workload, tenant } = flags
        const subject = user ?? workload
        const validForMs = Number(flags.seconds) * 1000
        if (subject === undefined || (user !== undefined && workload !== undefined))
          return complain(terminal, 'give either --user or --workload: a token is of one of them')
        if (!(validForMs > 0)) return complain(terminal, `--seconds ${flags.seconds} is not a number above 0`)
        const source =
          flags.key === undefined ? await ofConfig(context, flags.config) : ofKey(folder, flags.key)
        if (source === undefined) return undefined
        const claims = {
          kind: user === undefined ? 'workload' : 'user',
          subject,
          audience: flags.audience ?? source.audience,
          validForMs,
          ...(tenant !== undefined && { tenant }),
        } as const
        terminal.write(`${source.issuer.sign(claims, now())}\n`)
        return undefined
      }),
    )
}

function newKey({ terminal, folder }: AuthzContext, key: string | undefined): undefined {
  if (key === undefined) return complain(terminal, '--new-key needs --key <file>: where to put it')
  const file = resolve(folder, key)
  if (existsSync(file)) return complain(terminal, `${key} is there already`)
  const { issuer, privateKey } = TestIssuer.create()
  writeFileSync(file, privateKey, { mode: 0o600, flag: 'wx' })
  terminal.write(`${issuer.publicKey}\n`)
  return undefined
}

function ofKey(folder: string, key: string): Source {
  const pem = readFileSync(resolve(folder, key), 'utf8')
  try {
    return { issuer: new TestIssuer(pem), audience: 'breakwater' }
  } catch {
    throw new Mistake(`${key} holds no private key in PEM form: make one with --new-key --key <file>`)
  }
}

async function ofConfig(
  { terminal, folder }: AuthzContext,
  named: string | undefined,
): Promise<Source | undefined> {
  const loaded = await loadOrComplain(named, terminal, process.env, folder)
  if (loaded === undefined) return undefined
  const { authorization, name } = loaded.config
  const identity = authorization.mode === 'off' ? undefined : authorization.identity
  const { testIssuer, audience = name } = identity ?? {}
  if (testIssuer?.keysDir === undefined) {
    const why = 'names no folder in authorization.identity.testIssuer.keys: give --key <file>'
    return complain(terminal, `${loaded.shownFile} ${why}`)
  }
  return { issuer: openTestIssuer(testIssuer.keysDir, testIssuer.name), audience }
}
