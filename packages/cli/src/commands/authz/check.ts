import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { JoinedPolicies } from '@breakwater/authz/operate'
import { junitOf, matrixOf, runPolicyTests } from '@breakwater/authz/testing'
import type { Coverage, PolicyTestReport } from '@breakwater/authz/testing'
import { Command } from 'commander'

import {
  complain,
  findPolicies,
  guarded,
  openFolder,
  readMatrixFile,
  readTestFiles,
  withPolicies,
} from './policies.ts'
import type { AuthzContext, PolicyFlags } from './policies.ts'

interface TestFlags extends PolicyFlags {
  readonly minCoverage: string
  readonly junit?: string
  readonly json?: true
}

/** `breakwater authz test [folder]`: the policies' own tests, and what they never try. */
export function testCommand({ terminal, folder }: AuthzContext): Command {
  return withPolicies(
    new Command('test')
      .description('run the tests of the policies, with coverage of every condition')
      .argument('[tests]', 'folder of the tests (default: tests beside the policies)'),
  )
    .option('--min-coverage <ratio>', 'fail below this coverage, 0 to 1', '0')
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--json', 'print JSON')
    .action(
      guarded(terminal, (tests: string | undefined, flags: TestFlags) => {
        const minRatio = Number(flags.minCoverage)
        if (!(minRatio >= 0 && minRatio <= 1))
          return complain(terminal, `--min-coverage ${flags.minCoverage}: not a ratio from 0 to 1`)
        const policies = findPolicies(flags, folder)
        const files = readTestFiles(
          tests === undefined ? join(policies.path, 'tests') : join(folder, tests),
          terminal,
        )
        if (files === undefined) return
        if (files.length === 0)
          return complain(terminal, `there are no tests in ${tests ?? join(policies.name, 'tests')}`)
        const { joined } = openFolder(policies, true)
        const report = runPolicyTests(files, { joined, open: () => openFolder(policies, true).authorizer })
        if (flags.junit !== undefined) writeFileSync(join(folder, flags.junit), junitOf(report))
        const enough = report.coverage.ratio >= minRatio
        terminal.write(
          flags.json === true
            ? `${JSON.stringify({ schemaVersion: 1, ...report }, null, 2)}\n`
            : testText(report, joined, enough ? undefined : minRatio),
        )
        terminal.setExitCode(report.failed === 0 && enough ? 0 : 1)
      }),
    )
}

interface MatrixFlags extends PolicyFlags {
  readonly update?: true
}

/** `breakwater authz matrix`: who may do what, compared with what was so before. */
export function matrixCommand({ terminal, folder }: AuthzContext): Command {
  return withPolicies(
    new Command('matrix').description('role × action × object, compared with the golden file'),
  )
    .option('--update', 'write the golden file instead')
    .action(
      guarded(terminal, (flags: MatrixFlags) => {
        const policies = findPolicies(flags, folder)
        const description = readMatrixFile(policies, terminal)
        if (description === undefined)
          return complain(terminal, `${policies.name} has no matrix.yaml that can be read`)
        const text = matrixOf(openFolder(policies, true).authorizer, description)
        const file = join(policies.path, 'matrix.golden.txt')
        const golden = existsSync(file) ? readFileSync(file, 'utf8') : ''
        if (flags.update === true) writeFileSync(file, text)
        terminal.write(text)
        if (flags.update === true || golden === text) return
        terminal.note(
          `${difference(golden, text)}matrix.golden.txt differs. If this is meant, write it with --update.\n`,
        )
        terminal.setExitCode(1)
      }),
    )
}

/** Lines that went and came, section by section: enough for a table whose rows have names. */
function difference(golden: string, text: string): string {
  const before = new Map(rowsOf(golden))
  const after = new Map(rowsOf(text))
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  return keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const line = (sign: string, row: string | undefined): string =>
        row === undefined ? '' : `${sign} ${row}\n`
      return `${line('-', before.get(key))}${line('+', after.get(key))}`
    })
    .join('')
}

function rowsOf(text: string): (readonly [string, string])[] {
  return text.split('\n\n').flatMap((section) => {
    const lines = section.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const [title = ''] = (lines[0] ?? '').split(' ')
    return lines.map((line, index) => {
      const name = index === 0 ? '' : (line.split('  ')[0] ?? '')
      return [`${title} ${name}`, `${title}: ${line.replaceAll(/ {2,}/g, '  ')}`] as const
    })
  })
}

function testText(
  { results, failed, coverage }: PolicyTestReport,
  joined: JoinedPolicies,
  missed: number | undefined,
): string {
  const lines = results
    .filter(({ differences }) => differences.length > 0)
    .flatMap(({ file, name, differences, explanation = '' }) => [
      `failed: ${file}: ${name}`,
      ...differences.map((difference) => `  ${difference}`),
      ...explanation.split('\n').map((line) => `  | ${line}`),
    ])
  const percent = (ratio: number): string => `${(Math.floor(ratio * 1000) / 10).toFixed(1)} %`
  return [
    ...lines,
    ...gaps(coverage, joined),
    `${results.length} tests, ${failed} failed; ${percent(coverage.ratio)} of ${coverage.policies.length} policies and their conditions covered`,
    ...(missed === undefined ? [] : [`coverage is below ${percent(missed)}`]),
    '',
  ].join('\n')
}

/** What no test has tried. */
function gaps({ policies }: Coverage, joined: JoinedPolicies): string[] {
  return policies.flatMap(({ policyId, at, satisfied, conditions }) => [
    ...(satisfied === 0 ? [`uncovered: ${joined.place(at)} ${policyId} never decides`] : []),
    ...conditions.flatMap(({ text, at: offset, whenTrue, whenFalse }) => {
      const never = [...(whenTrue === 0 ? ['true'] : []), ...(whenFalse === 0 ? ['false'] : [])]
      return never.length === 0
        ? []
        : [`uncovered: ${joined.place(offset)} ${policyId}: \`${text}\` is never ${never.join(' nor ')}`]
    }),
  ])
}
