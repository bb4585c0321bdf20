import process from 'node:process'

import { findConfigFile, formatProblem, loadConfig } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import type { Terminal } from './terminal.ts'

export interface LoadedConfig {
  readonly config: GatewayConfig
  /** Absolute. */
  readonly file: string
  /** As the user named it. */
  readonly shownFile: string
}

/** A configuration that cannot be used is the user's to repair, like a wrong option. */
const INVALID = 2

/** Loads the named configuration, or the usual one here. Otherwise says every mistake, and that the command ends with 2. */
export async function loadOrComplain(
  named: string | undefined,
  terminal: Terminal,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  folder: string = process.cwd(),
): Promise<LoadedConfig | undefined> {
  const found = findConfigFile(named, folder)
  const loaded = found.ok ? await loadConfig(found.value, environment) : undefined
  if (found.ok && loaded?.ok === true) {
    return { config: loaded.value.config, file: found.value, shownFile: named ?? found.value }
  }
  const problems = found.ok ? (loaded?.ok === false ? loaded.error : []) : [found.error]
  for (const problem of problems) terminal.note(`${formatProblem(problem)}\n`)
  if (problems.length > 1) terminal.note(`${problems.length} mistakes\n`)
  terminal.setExitCode(INVALID)
  return undefined
}
