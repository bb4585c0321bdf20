// `npm test`: everything that must hold before a change lands, in one command that ends with `N passed, N failed`.
// Steps by name: npm test -- lint types. With --fix, steps that can repair do.
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './checks/command.ts'
import type { CommandResult } from './checks/command.ts'
import { countDrills, countVitest } from './checks/counts.ts'
import type { Counts } from './checks/counts.ts'
import { survivors } from './checks/survivors.ts'

interface Step {
  readonly name: string
  readonly command: readonly string[]
  readonly fix?: readonly string[]
  /** Reads how many single checks the step ran. Default: the step counts as one. */
  readonly count?: (result: CommandResult) => Counts
  /** What is shown when it failed. Default: all that it printed. */
  readonly complaint?: (result: CommandResult) => string
}

const root = join(import.meta.dirname, '..')
const scratch = join(root, '.breakwater', 'test')
const vitestReport = join(scratch, 'vitest.json')
const node = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning']
const breakwater = [...node, 'packages/cli/src/main.ts']

/** Cheap and independent: two run at a time. */
const still: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'], fix: ['oxfmt', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware'], fix: ['oxlint', '--type-aware', '--fix'] },
  { name: 'layers', command: [...node, 'tools/layers.ts'] },
  { name: 'types', command: ['tsc', '-b'] },
  {
    name: 'generated',
    command: [...node, 'tools/generate.ts', '--check'],
    fix: [...node, 'tools/generate.ts'],
  },
  { name: 'unused', command: ['knip', '--no-progress'] },
  { name: 'register', command: [...breakwater, 'threats', 'check'] },
]

/** Keep both cores busy by themselves, or build on what came before: one after the other. */
const moving: readonly Step[] = [
  { name: 'package', command: [...node, 'tools/build.ts'] },
  {
    name: 'tests',
    command: ['vitest', 'run', '--reporter=dot', '--reporter=json', `--outputFile=${vitestReport}`],
    count: () => countVitest(vitestReport),
  },
  {
    name: 'drills',
    command: [...breakwater, 'drill', '--all', '--json'],
    count: ({ stdout }) => countDrills(stdout),
    complaint: ({ stderr }) => stderr,
  },
]

const wanted = new Set(process.argv.slice(2).filter((argument) => !argument.startsWith('--')))
const isFixing = process.argv.includes('--fix')
const total = { passed: 0, failed: 0 }
const runId = randomUUID()

rmSync(scratch, { recursive: true, force: true })
const temporary = join(scratch, 'tmp')
mkdirSync(temporary, { recursive: true })
const environment = {
  ...process.env,
  BREAKWATER_RUN_ID: runId,
  TMPDIR: temporary,
  // Tools would leave one in the temporary folder.
  NODE_DISABLE_COMPILE_CACHE: '1',
  PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
}

async function run(step: Step): Promise<void> {
  if (wanted.size > 0 && !wanted.has(step.name)) return
  const command = isFixing ? (step.fix ?? step.command) : step.command
  const result = await runCommand(command, { cwd: root, env: environment })
  const isGood = result.code === 0
  let counts: Counts = { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 }
  if (step.count !== undefined) {
    counts = step.count(result)
    if (counts.passed + counts.failed === 0 || (!isGood && counts.failed === 0)) counts.failed++
  }
  report(step.name, counts, result.seconds, isGood ? '' : (step.complaint?.(result) ?? result.output))
}

function report(name: string, counts: Counts, seconds: number, output: string): void {
  total.passed += counts.passed
  total.failed += counts.failed
  const verdict = counts.failed === 0 ? 'ok    ' : 'FAILED'
  console.log(
    `${verdict} ${name.padEnd(10)} ${counts.passed} passed, ${counts.failed} failed in ${seconds.toFixed(1)} s`,
  )
  if (output !== '') console.log(output.replaceAll(/^/gm, '       '))
}

async function inPairs(steps: readonly Step[]): Promise<void> {
  const queue = [...steps]
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) await run(step)
  }
  await Promise.all([worker(), worker()])
}

/** The tests' own promise: no process and no file is left behind. */
function checkLeftovers(): void {
  const processes = survivors(runId)
  const files = readdirSync(temporary)
  const complaint = [
    ...processes.map((line) => `still running: ${line}`),
    ...files.map((file) => `left behind in the temporary folder: ${file}`),
  ].join('\n')
  report('leftovers', { passed: complaint === '' ? 1 : 0, failed: complaint === '' ? 0 : 1 }, 0, complaint)
}

const started = performance.now()
console.log(`Node ${process.version}`)
await inPairs(still)
for (const step of moving) await run(step)
if (wanted.size === 0) checkLeftovers()
rmSync(scratch, { recursive: true, force: true })
console.log(`\nfinished in ${((performance.now() - started) / 1000).toFixed(0)} s`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1
