import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

import type { AuthzRequest } from '@breakwater/authz'
import { readLogFolder, verifyLog } from '@breakwater/authz/operate'
import type { ChainHead, LogFile } from '@breakwater/authz/operate'
import { ShadowComparison, recordsOf, requestOfRecord } from '@breakwater/authz/testing'
import type { ShadowReport } from '@breakwater/authz/testing'
import { Command } from 'commander'

import { Mistake, complain, findPolicies, guarded, openFolder, withPolicies } from './policies.ts'
import type { AuthzContext, PolicyFlags } from './policies.ts'

interface VerifyFlags {
  readonly head?: readonly string[]
  readonly from?: string
  readonly keyFile?: string
  readonly json?: true
}

/** `breakwater authz log verify`: whether the record of decisions is what was written. */
export function logCommand({ terminal, folder }: AuthzContext): Command {
  const command = new Command('log').description('the record of decisions')
  command
    .command('verify')
    .description('find edits, deletions, insertions, moves and (with --head) a cut-off end, offline')
    .argument('<log>', 'its folder, or one of its files')
    .option('--head <seq:seal...>', 'seals kept elsewhere: each must be in the chain')
    .option('--from <seq:seal>', 'where the chain begins, when earlier files were taken away')
    .option('--key-file <file>', 'the key of a keyed log')
    .option('--json', 'print JSON')
    .action(
      guarded(terminal, (log: string, flags: VerifyFlags) => {
        const heads = (flags.head ?? []).map(headOf)
        const start = flags.from === undefined ? undefined : headOf(flags.from)
        if (heads.includes(undefined) || (flags.from !== undefined && start === undefined))
          return complain(terminal, 'a seal is written seq:hash, with 64 hex digits')
        const files = logFiles(resolve(folder, log))
        if (files === undefined || files.length === 0)
          return complain(terminal, `there is no decision log in ${log}`)
        const verdict = verifyLog(files, {
          heads: heads.filter((head) => head !== undefined),
          ...(start !== undefined && { start }),
          ...(flags.keyFile !== undefined && { key: readFileSync(resolve(folder, flags.keyFile)) }),
        })
        const { ok, records, head, problem, unsealedBytes } = verdict
        const lines = [
          ...(problem === undefined
            ? []
            : [`${problem.file}${problem.line === 0 ? '' : `:${problem.line}`} ${problem.message}`]),
          `${records} records in ${files.length} files ${ok ? 'fit' : 'fit before that'}, head ${head.seq}:${head.seal}`,
          ...(unsealedBytes > 0 && ok
            ? [`${unsealedBytes} bytes at the end have no seal: a write that was cut off`]
            : []),
        ]
        terminal.write(
          flags.json === true
            ? `${JSON.stringify({ schemaVersion: 1, ...verdict }, null, 2)}\n`
            : `${lines.join('\n')}\n`,
        )
        terminal.setExitCode(ok ? 0 : 1)
      }),
    )
  return command
}

interface ShadowFlags extends PolicyFlags {
  readonly candidate: string
  readonly log?: string
  readonly requests?: string
  readonly json?: true
}

/** `breakwater authz shadow`: what other policies would have decided. */
export function shadowCommand({ terminal, folder }: AuthzContext): Command {
  return withPolicies(
    new Command('shadow').description(
      'what a candidate would decide otherwise, by policy, on recorded requests',
    ),
  )
    .requiredOption('--candidate <folder>', 'the policies that are tried')
    .option('--log <log>', 'decisions recorded: a folder or file of a decision log')
    .option(
      '--requests <file>',
      'requests, one JSON object a line: principal, action, resource, context, entities',
    )
    .option('--json', 'print JSON')
    .action(
      guarded(terminal, (flags: ShadowFlags) => {
        const { authorizer: active } = openFolder(findPolicies(flags, folder), true)
        const { authorizer: candidate } = openFolder(
          findPolicies({ policies: flags.candidate }, folder),
          true,
        )
        const comparison = new ShadowComparison(active, candidate)
        let unlike = 0
        if (flags.log !== undefined) {
          const files = logFiles(resolve(folder, flags.log))
          if (files === undefined) return complain(terminal, `there is no decision log in ${flags.log}`)
          for (const record of files.flatMap(({ bytes }) => recordsOf(new TextDecoder().decode(bytes)))) {
            const request = requestOfRecord(record, active.store.schema)
            // The log keeps part of a request: where today's answer is not the one recorded, nothing can be learned.
            if (request === undefined || active.decide(request).decision !== record.result) unlike += 1
            else comparison.decide(request)
          }
        } else if (flags.requests === undefined) {
          return complain(terminal, 'name recorded requests: --log or --requests')
        } else {
          for (const request of requestsOf(resolve(folder, flags.requests), flags.requests))
            comparison.decide(request)
        }
        const report = comparison.report()
        terminal.write(
          flags.json === true
            ? `${JSON.stringify({ schemaVersion: 1, unlike, ...summaryOf(report) }, null, 2)}\n`
            : shadowText(report, unlike),
        )
        terminal.setExitCode(report.changed === 0 ? 0 : 1)
      }),
    )
}

/** One request a line. What is missing in it is decided as such; what is no object cannot be. */
function requestsOf(path: string, name: string): readonly AuthzRequest[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (line === '') return []
      const request = objectIn(line)
      if (request === undefined)
        throw new Mistake(
          `${name}:${index + 1} is not a JSON object: a request is {"principal": …, "action": …, "resource": …}`,
        )
      return [request]
    })
}

function objectIn(text: string): AuthzRequest | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as AuthzRequest)
      : undefined
  } catch {
    return undefined
  }
}

function summaryOf({ decided, changed, groups }: ShadowReport): object {
  return {
    decided,
    changed,
    groups: groups.map(({ examples, ...group }) => ({
      ...group,
      examples: examples.map(({ request }) => request),
    })),
  }
}

const WORDS = {
  'now-allowed': 'now allowed by',
  'now-denied': 'now denied by',
  failing: 'newly failing',
} as const

function shadowText({ decided, changed, groups }: ShadowReport, unlike: number): string {
  const lines = groups.flatMap(({ change, policies, count, examples }) => [
    `${count} ${WORDS[change]} ${policies.length === 0 ? 'default' : policies.join(', ')}`,
    ...examples.map(
      ({ request: { principal, action, resource } }) =>
        `  ${[principal, action, resource].map(named).join(' ')}`,
    ),
  ])
  const left =
    unlike === 0 ? [] : [`${unlike} records cannot be asked again: the log keeps too little of them`]
  return `${[...lines, ...left, `${decided} decisions compared, ${changed} would change`].join('\n')}\n`
}

function named(uid: AuthzRequest['principal']): string {
  const { type, id } = '__entity' in uid ? uid.__entity : uid
  return `${type}::${JSON.stringify(id)}`
}

function headOf(text: string): ChainHead | undefined {
  const [, seq, seal] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? []
  return seq === undefined || seal === undefined ? undefined : { seq: Number(seq), seal }
}

/** The files of a folder, or a file alone. */
function logFiles(path: string): readonly LogFile[] | undefined {
  if (!existsSync(path)) return undefined
  if (statSync(path).isDirectory()) return readLogFolder(path)
  return [{ name: basename(path), bytes: readFileSync(join(path)) }]
}
