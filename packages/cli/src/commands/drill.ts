import { open, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { makeFolder } from '@breakwater/core'
import { formatHtml, formatJunit, formatReport, runDrills, selectDrills } from '@breakwater/drill'
import type { DrillProgress, DrillReport, Register } from '@breakwater/drill'
import { Command, InvalidArgumentError, Option } from 'commander'

import { processTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface DrillDeps {
  readonly terminal?: Terminal
  readonly loadRegister?: () => Promise<Register>
}

interface DrillFlags {
  readonly all?: true
  readonly control?: 'on' | 'off'
  readonly json?: true
  readonly junit?: string
  readonly html?: string
  readonly seed: number
  readonly target?: URL
}

/** `breakwater drill <id…>|--all`: attacks with the control off and on. Ends with 0 only when every drill has passed. */
export function drillCommand(deps: DrillDeps = {}): Command {
  const { terminal = processTerminal, loadRegister = loadOwnRegister } = deps
  const command = new Command('drill')
    .description('run attacks twice: with their controls off they must do damage, with them on be contained')
    .argument('[ids...]', 'drills to run; see: breakwater threats list')
    .option('--all', 'run every drill')
    .addOption(new Option('--control <state>', 'run one state only').choices(['on', 'off']))
    .option('--json', 'print the report as JSON')
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--html <file>', 'write the report as one self-contained page')
    .option('--seed <number>', 'seed of all luck: the same seed gives the same simulated runs', parseSeed, 1)
    .option('--target <url>', 'a running deployment to probe, harmlessly, with its controls on', parseTarget)
  return command.action(async (ids: readonly string[], flags: DrillFlags) => {
    if (ids.length === 0 && flags.all !== true)
      return command.error('Name a drill, or use --all. The drills: breakwater threats list')
    if (ids.length > 0 && flags.all === true) return command.error('Name drills or use --all, not both.')
    const drills = selectDrills(await loadRegister(), ids)
    await prepareReports(flags)
    const signal = terminal.interrupted()
    const report = await runDrills(drills, {
      seed: flags.seed,
      signal,
      onProgress: (progress) => terminal.note(progressLine(progress)),
      ...(flags.control === undefined ? {} : { control: flags.control }),
      ...(flags.target === undefined ? {} : { target: flags.target }),
    })
    await writeReports(report, flags)
    terminal.write(
      flags.json === true
        ? `${JSON.stringify(report, null, 2)}\n`
        : formatReport(report, { isColoured: terminal.isColoured }),
    )
    terminal.setExitCode(signal.aborted ? 130 : report.verdict === 'passed' ? 0 : 1)
  })
}

async function loadOwnRegister(): Promise<Register> {
  return (await import('../register.ts')).register
}

/** One line as a run begins, so that a long one is seen to be at work, and one with the verdict. */
function progressLine(progress: DrillProgress): string {
  const { id } = progress.drill
  switch (progress.phase) {
    case 'started':
      return `${id}: control ${progress.control} …\n`
    case 'finished': {
      const { outcome, durationMs } = progress.run
      return `${id}: control ${progress.control} → ${outcome} (${(durationMs / 1000).toFixed(1)} s)\n`
    }
    case 'ruled':
      return `${id}: ${progress.result.verdict}\n`
  }
}

/** Before minutes of drills are run for a report that cannot be written. */
async function prepareReports({ junit, html }: DrillFlags): Promise<void> {
  for (const file of [junit, html]) {
    if (file === undefined) continue
    makeFolder(dirname(file))
    await (await open(file, 'a')).close()
  }
}

async function writeReports(report: DrillReport, flags: DrillFlags): Promise<void> {
  const files = [
    [flags.junit, formatJunit],
    [flags.html, formatHtml],
  ] as const
  for (const [file, format] of files) {
    if (file !== undefined) await writeFile(file, format(report))
  }
}

function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (seed >= 0 && seed <= 0xffff_ffff) return seed
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}

function parseTarget(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8080.')
}
