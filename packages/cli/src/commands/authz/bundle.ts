import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { AuthzError } from '@breakwater/authz'
import {
  keyIdOf,
  openPolicies,
  readBundle,
  signBundle,
  verifyBundle,
  writeBundle,
} from '@breakwater/authz/operate'
import type { Bundle } from '@breakwater/authz/operate'
import { Command } from 'commander'

import { pushTo } from './bundle-address.ts'
import { complain, findPolicies, guarded, withPolicies } from './policies.ts'
import type { AuthzContext, PolicyFlags } from './policies.ts'

/** `breakwater authz bundle keygen|build|sign|verify|push`: policies on their way into force. */
export function bundleCommand(context: AuthzContext): Command {
  const command = new Command('bundle').description('build, sign, verify and ship the policies')
  for (const part of [keygen, build, sign, verify, push]) command.addCommand(part(context))
  return command
}

function keygen({ terminal, folder }: AuthzContext): Command {
  return new Command('keygen')
    .description('make a key pair: <name>.key stays with you, <name>.pub goes to whoever verifies')
    .argument('<name>', 'path without ending')
    .action(
      guarded(terminal, (name: string) => {
        const [secret, open] = [resolve(folder, `${name}.key`), resolve(folder, `${name}.pub`)]
        // A key that is in use must not be lost to a second run.
        if (existsSync(secret) || existsSync(open))
          return complain(terminal, `${name}.key or ${name}.pub is there already`)
        const { privateKey, publicKey } = generateKeyPairSync('ed25519')
        writeFileSync(secret, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
          mode: 0o600,
          flag: 'wx',
        })
        writeFileSync(open, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' })
        const { x } = publicKey.export({ format: 'jwk' })
        terminal.write(`${name}.key\n${name}.pub\nkey id ${keyIdOf(publicKey)}\ntrustedKeys: [${x}]\n`)
      }),
    )
}

interface BuildFlags extends PolicyFlags {
  readonly name: string
  readonly release: string
  readonly output: string
}

function build({ terminal, folder, now }: AuthzContext): Command {
  return withPolicies(
    new Command('build').description('put the policies into one file, once they pass strict validation'),
  )
    .requiredOption('--name <name>', 'which policies these are')
    .requiredOption('--release <number>', 'its version: higher than every one before')
    .requiredOption('-o, --output <file>', 'the bundle')
    .action(
      guarded(terminal, (flags: BuildFlags) => {
        const { content, name: source } = findPolicies(flags, folder)
        openPolicies(content)
        const bundle = { name: flags.name, version: Number(flags.release), issuedAtMs: now(), content }
        writeFileSync(resolve(folder, flags.output), writeBundle(bundle))
        terminal.write(`${flags.output}: ${titleOf(bundle)} from ${source}, not signed yet\n`)
      }),
    )
}

interface SignFlags {
  readonly key: string
  readonly output: string
}

function sign({ terminal, folder, now }: AuthzContext): Command {
  return new Command('sign')
    .description('sign a bundle; its age counts from now. Signing again refreshes it')
    .argument('<bundle>')
    .requiredOption('-k, --key <file>', 'the private key')
    .requiredOption('-o, --output <file>', 'the signed bundle')
    .action(
      guarded(terminal, (file: string, flags: SignFlags) => {
        const key = readKey(resolve(folder, flags.key), flags.key, createPrivateKey)
        const bundle = { ...readBundle(readFileSync(resolve(folder, file))), issuedAtMs: now() }
        writeFileSync(resolve(folder, flags.output), signBundle(writeBundle(bundle), key))
        terminal.write(`${flags.output}: ${titleOf(bundle)}, signed by key ${keyIdOf(key)}\n`)
      }),
    )
}

interface TrustFlags {
  readonly trust: readonly string[]
}

function verify({ terminal, folder }: AuthzContext): Command {
  return withTrust(
    new Command('verify').description('check signature and strict validation').argument('<bundle>'),
  ).action(
    guarded(terminal, (file: string, flags: TrustFlags) => {
      const { bundle, keyId } = verified(readFileSync(resolve(folder, file)), flags, folder)
      const { authorizer } = openPolicies(bundle.content)
      const signedAt = new Date(bundle.issuedAtMs).toISOString()
      terminal.write(
        `${file}: ${titleOf(bundle)}, ${authorizer.policySet.policies.length} policies, signed ${signedAt} by key ${keyId}\n`,
      )
    }),
  )
}

interface PushFlags extends TrustFlags {
  readonly to: string
  readonly timeout: string
  readonly tokenVariable?: string
}

function push({ terminal, folder, environment }: AuthzContext): Command {
  return withTrust(
    new Command('push')
      .description(
        'verify a signed bundle and put it where it is taken from: a file, or an address by HTTP PUT, such as http://127.0.0.1:9901/authorization/bundle of a gateway',
      )
      .argument('<bundle>'),
  )
    .requiredOption('--to <target>', 'a path, or http(s)://…')
    .option('--timeout <ms>', 'for an address', '10000')
    .option('--token-variable <name>', 'variable that holds the bearer token, where an address asks for one')
    .action(
      guarded(terminal, async (file: string, flags: PushFlags) => {
        const bytes = readFileSync(resolve(folder, file))
        const { bundle } = verified(bytes, flags, folder)
        openPolicies(bundle.content)
        if (/^https?:\/\//.test(flags.to)) {
          const options = {
            timeoutMs: Number(flags.timeout),
            tokenVariable: flags.tokenVariable,
            environment,
          }
          const { isTaken, said } = await pushTo(flags.to, bytes, options)
          if (!isTaken) {
            terminal.note(`${flags.to} did not take the bundle: ${said}\n`)
            return terminal.setExitCode(1)
          }
          terminal.write(`${flags.to}: ${titleOf(bundle)}${said === '' ? '' : ` ${said}`}\n`)
          return
        }
        putFile(resolve(folder, flags.to), bytes, bundle, flags, folder)
        terminal.write(`${flags.to}: ${titleOf(bundle)}\n`)
      }),
    )
}

/** Never replaces a bundle by an older one, and never shows half of one. */
function putFile(path: string, bytes: Uint8Array, bundle: Bundle, flags: TrustFlags, folder: string): void {
  if (existsSync(path)) {
    const { bundle: there } = verified(readFileSync(path), flags, folder)
    if (there.name !== bundle.name || there.version > bundle.version)
      throw refused(`${titleOf(there)} is there already, ${titleOf(bundle)} must not replace it`)
  }
  const temporary = `${path}.new`
  try {
    writeFileSync(temporary, bytes)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function withTrust(command: Command): Command {
  return command.requiredOption('-t, --trust <file...>', 'public keys, one of which must have signed')
}

function verified(
  bytes: Uint8Array,
  { trust }: TrustFlags,
  folder: string,
): { readonly bundle: Bundle; readonly keyId: string } {
  const keys = trust.map((file) => readKey(resolve(folder, file), file, createPublicKey))
  const { bytes: payload, keyId } = verifyBundle(bytes, keys)
  return { bundle: readBundle(payload), keyId }
}

/** A key from a PEM file. Of what is in it nothing is ever told. */
function readKey(path: string, name: string, create: (pem: string) => KeyObject): KeyObject {
  try {
    return create(readFileSync(path, 'utf8'))
  } catch {
    throw new AuthzError('BW_AUTHZ_KEY_INVALID', `${name} holds no key that can be read`)
  }
}

function refused(message: string): AuthzError {
  return new AuthzError('BW_AUTHZ_BUNDLE_REFUSED', message)
}

function titleOf({ name, version }: Pick<Bundle, 'name' | 'version'>): string {
  return `${name}@${version}`
}
