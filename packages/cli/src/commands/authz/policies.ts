import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import process from 'node:process'

import type { Authorizer } from '@breakwater/authz'
import { openPolicies, readPolicyFolder } from '@breakwater/authz/operate'
import type { JoinedPolicies, PolicyContent } from '@breakwater/authz/operate'
import { readMatrix, readPolicyTests } from '@breakwater/authz/testing'
import type { ContextInput, MatrixDescription, PolicyTestFile } from '@breakwater/authz/testing'
import { formatProblem, readYaml } from '@breakwater/contract'
import { isBreakwaterError } from '@breakwater/core'
import type { Command } from 'commander'

import { fileMistake } from '../../file-mistake.ts'
import { processTerminal } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'

export interface AuthzDeps {
  readonly terminal?: Terminal
  /** Where the policies are looked for. Default: the working folder. */
  readonly folder?: string
  /** Wall clock in milliseconds. */
  readonly now?: () => number
  /** Where tokens are looked up. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** What every command below `authz` has at hand. */
export interface AuthzContext {
  readonly terminal: Terminal
  readonly folder: string
  readonly now: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface PolicyFlags {
  readonly policies?: string
}

/** Wrong usage, or files that cannot be used: not to be mistaken for a deny. */
const UNUSABLE = 2

/** A folder of policies with what lies beside them: examples for questions, tests, a matrix. */
export interface PolicyFolder {
  /** As it is shown: relative to the working folder. */
  readonly name: string
  readonly path: string
  readonly content: PolicyContent
}

export function contextOf(deps: AuthzDeps): AuthzContext {
  const {
    terminal = processTerminal,
    folder = process.cwd(),
    now = Date.now,
    environment = process.env,
  } = deps
  return { terminal, folder, now, environment }
}

export function withPolicies(command: Command): Command {
  return command.option(
    '-p, --policies <folder>',
    'the policies (default: ./policies, this folder, or those of the shop in a checkout)',
  )
}

/** Runs an action; a mistake in the files or options is told in one line and ends with 2. */
export function guarded<Args extends readonly unknown[]>(
  terminal: Terminal,
  action: (...args: Args) => void | Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args)
    } catch (error) {
      const mistake = error instanceof Mistake ? error.message : fileMistake(error)
      if (mistake !== undefined) return complain(terminal, mistake)
      if (!isBreakwaterError(error)) throw error
      terminal.note(`${error.code}: ${error.message}. ${error.spec.fix}\n`)
      terminal.setExitCode(UNUSABLE)
    }
  }
}

/** A mistake of the user's that no error code fits, found deep inside: `guarded` tells its message. */
export class Mistake extends Error {}

/** A mistake of the user's that no error code fits. */
export function complain(terminal: Terminal, message: string): undefined {
  terminal.note(`${message}\n`)
  terminal.setExitCode(UNUSABLE)
}

/**
 * @throws `Mistake` when there is no such folder.
 * @throws `BW_AUTHZ_POLICY_INVALID` when there are no policies in it.
 */
export function findPolicies(flags: PolicyFlags, folder: string): PolicyFolder {
  const path = flags.policies === undefined ? usualFolder(folder) : resolve(folder, flags.policies)
  const name = relative(folder, path) || '.'
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Mistake(`there is no folder ${name}: name that of the policies with --policies`)
  return { name, path, content: readPolicyFolder(path) }
}

function usualFolder(from: string): string {
  const holdsPolicies = (path: string): boolean =>
    existsSync(path) && readdirSync(path).some((name) => name.endsWith('.cedar'))
  const near = [join(from, 'policies'), from].find(holdsPolicies)
  if (near !== undefined) return near
  for (let folder = from; dirname(folder) !== folder; folder = dirname(folder)) {
    const shop = join(folder, 'examples/shop/policies')
    if (existsSync(shop)) return shop
  }
  return join(from, 'policies')
}

/** The policies as production opens them, with the entities of `examples.json` added: objects to ask about. */
export function openFolder(
  { path, content }: PolicyFolder,
  examples: boolean,
): { readonly authorizer: Authorizer; readonly joined: JoinedPolicies } {
  const opened = openPolicies(content, { strict: content.schema !== undefined })
  const file = join(path, 'examples.json')
  if (examples && existsSync(file)) opened.authorizer.store.apply({ upsert: readFileSync(file, 'utf8') })
  return opened
}

/** Reads YAML or JSON; complains and returns undefined when it is neither. */
export function readValues(path: string, name: string, terminal: Terminal): unknown {
  const read = readYaml(readFileSync(path, 'utf8'), name)
  if (read.ok) return read.value
  for (const problem of read.error) terminal.note(`${formatProblem(problem)}\n`)
  terminal.setExitCode(UNUSABLE)
  return undefined
}

/** The matrix description of a folder; undefined when there is none. */
export function readMatrixFile({ path }: PolicyFolder, terminal: Terminal): MatrixDescription | undefined {
  const file = join(path, 'matrix.yaml')
  if (!existsSync(file)) return undefined
  const value = readValues(file, 'matrix.yaml', terminal)
  return value === undefined ? undefined : readMatrix(value, 'matrix.yaml')
}

/** Every test file of a folder, in the order of names; undefined after a complaint. */
export function readTestFiles(folder: string, terminal: Terminal): readonly PolicyTestFile[] | undefined {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name)) : []
  const files: PolicyTestFile[] = []
  for (const name of names.sort()) {
    const value = readValues(join(folder, name), name, terminal)
    if (value === undefined) return undefined
    files.push(readPolicyTests(value, name))
  }
  return files
}

/** The context that stands in for what nobody gave: from the matrix description. */
export function assumedContext(matrix: MatrixDescription | undefined, action: string): ContextInput {
  return { ...matrix?.context, ...matrix?.actions.get(action) }
}
