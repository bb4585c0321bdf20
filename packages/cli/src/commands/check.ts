import process from 'node:process'

import { findConfigFile, readSecret } from '@breakwater/contract'
import type { GatewayConfig, SecretReference } from '@breakwater/contract'
import { isBreakwaterError, messageOf } from '@breakwater/core'
import { Command } from 'commander'

import { AdminClient } from '../admin-client.ts'
import { findUnreachable } from '../up/reachability.ts'
import { formatStandIns, standInsOf } from '../up/stand-ins.ts'
import type { StandIn } from '../up/stand-ins.ts'
import { loadOrComplain } from './configuration.ts'
import { processTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

/** One thing that was looked at. */
interface Finding {
  readonly verdict: 'ok' | 'note' | 'FAILED'
  readonly text: string
}

interface CheckFlags {
  readonly config?: string
  readonly admin?: string
  readonly json?: true
}

/** `breakwater check`: whether everything is there that `breakwater up` needs, and which stand-ins are in use. */
export function checkCommand({ terminal = processTerminal }: { readonly terminal?: Terminal } = {}): Command {
  return new Command('check')
    .description('is the configuration valid, are upstreams reachable, which embedded stand-ins are in use')
    .option(
      '-c, --config <file>',
      'the configuration (default: the one here, else that of the gateway that runs)',
    )
    .option('--admin <url>', 'its admin API (default: that of the configuration, or http://127.0.0.1:9901)')
    .option('--json', 'print JSON')
    .action(async (flags: CheckFlags) => {
      const known = await knownConfig(flags, terminal)
      if (known === undefined) return
      const { config, source } = known
      const { listeners, upstreams, routes } = config
      const findings: readonly Finding[] = [
        {
          verdict: 'ok',
          text: `configuration ${source}: listeners ${listeners.length}, upstreams ${upstreams.length}, routes ${routes.length}`,
        },
        ...secretFindings(config),
        ...(await upstreamFindings(config)),
        await gatewayFinding(known.client, config.name),
      ]
      const standIns = standInsOf(config)
      terminal.write(
        flags.json === true
          ? `${JSON.stringify({ schemaVersion: 1, findings, standIns }, null, 2)}\n`
          : findingsText(findings, standIns),
      )
      terminal.setExitCode(findings.some(({ verdict }) => verdict === 'FAILED') ? 1 : 0)
    })
}

interface KnownConfig {
  readonly config: GatewayConfig
  readonly source: string
  readonly client: AdminClient | undefined
}

async function knownConfig(flags: CheckFlags, terminal: Terminal): Promise<KnownConfig | undefined> {
  const isHere = flags.config !== undefined || findConfigFile(undefined, process.cwd()).ok
  if (!isHere) {
    const client = AdminClient.of(undefined, flags.admin, process.env)
    return { config: await client.config(), source: `of the gateway at ${client.url}`, client }
  }
  const loaded = await loadOrComplain(flags.config, terminal)
  if (loaded === undefined) return undefined
  const { config, shownFile } = loaded
  return { config, source: shownFile, client: clientOf(config, flags.admin) }
}

/** Without its token nobody can ask; the secret is a finding of its own. */
function clientOf({ admin }: GatewayConfig, url: string | undefined): AdminClient | undefined {
  if (admin.mode === 'off' && url === undefined) return undefined
  try {
    return AdminClient.of(admin, url, process.env)
  } catch {
    return undefined
  }
}

function secretFindings({ admin, authorization, services }: GatewayConfig): readonly Finding[] {
  const opaToken = authorization.mode === 'off' ? undefined : authorization.opa?.token
  const references: readonly (readonly [string, SecretReference])[] = [
    ...(opaToken === undefined ? [] : [['authorization.opa.token', opaToken] as const]),
    ...(admin.mode !== 'off' && admin.token !== undefined ? [['admin.token', admin.token] as const] : []),
    ...services.flatMap(({ name, env }) =>
      Object.entries(env).flatMap(([variable, value]) =>
        typeof value === 'string' ? [] : [[`services.${name}.env.${variable}`, value] as const],
      ),
    ),
  ]
  return references.map(([path, reference]) => {
    try {
      readSecret(reference)
      return { verdict: 'ok', text: `secret ${path} can be read` }
    } catch (error) {
      return {
        verdict: 'FAILED',
        text: `secret ${path}: ${messageOf(error)}`,
      }
    }
  })
}

async function upstreamFindings(config: GatewayConfig): Promise<readonly Finding[]> {
  const unreachable = await findUnreachable(config)
  const started = new Map(
    config.services.flatMap(({ name, health }) =>
      health === undefined ? [] : [[new URL(health.url).host, name] as const],
    ),
  )
  const missing = unreachable.map(({ upstream, endpoint, isOptional, fix }): Finding => {
    const service = started.get(endpoint)
    if (service !== undefined) {
      return {
        verdict: 'note',
        text: `upstream ${upstream}: ${endpoint} is down; breakwater up starts it (service ${service})`,
      }
    }
    return {
      verdict: isOptional ? 'note' : 'FAILED',
      text: `upstream ${upstream}: nobody answers at ${endpoint}${isOptional ? ' (optional)' : ''}. ${fix}`,
    }
  })
  const total = config.upstreams.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
  return [
    ...missing,
    {
      verdict: unreachable.length === 0 ? 'ok' : 'note',
      text: `upstreams: ${total - unreachable.length} of ${total} endpoints can be reached`,
    },
  ]
}

async function gatewayFinding(client: AdminClient | undefined, wanted: string): Promise<Finding> {
  if (client === undefined) return { verdict: 'note', text: 'gateway: its admin API cannot be asked' }
  try {
    const { name, ready, draining } = await client.status()
    if (name !== wanted) {
      return { verdict: 'note', text: `gateway: another one, ${name}, answers at ${client.url}` }
    }
    const condition = draining ? 'draining' : ready ? 'ready' : 'not ready'
    return { verdict: ready ? 'ok' : 'note', text: `gateway: runs, ${condition} (${client.url})` }
  } catch (error) {
    if (!isBreakwaterError(error)) throw error
    return { verdict: 'note', text: `gateway: ${error.message}; breakwater up starts it` }
  }
}

function findingsText(findings: readonly Finding[], standIns: readonly StandIn[]): string {
  return [
    ...findings.map(({ verdict, text }) => `${verdict.padEnd(6)} ${text}\n`),
    standIns.length === 0 ? '\nNo embedded stand-in is in use.\n' : '\nEmbedded stand-ins in use:\n\n',
    formatStandIns(standIns),
  ].join('')
}
