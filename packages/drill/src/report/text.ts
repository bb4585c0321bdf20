import { styleText } from 'node:util'

import type { ControlState } from '../definitions.ts'
import { formatFigure, formatQuantity, isWithinLimits } from '../figure.ts'
import type { DrillReport, DrillResult, DrillRun } from './report.ts'

export interface TextOptions {
  /** Colours: only for a terminal. Default false. */
  readonly isColoured?: boolean
  /** Print every figure of every run. Default: only of drills that did not pass, or when there is just one. */
  readonly isDetailed?: boolean
}

type Style = 'green' | 'red' | 'yellow' | 'dim' | 'bold'

const STATES: readonly ControlState[] = ['off', 'on']
const COLUMN_GAP = '  '

/** The report as a table for a terminal, 110 columns where ids and figures allow it. Ends with a line break. */
export function formatReport(report: DrillReport, options: TextOptions = {}): string {
  const paint = (style: Style, text: string): string =>
    options.isColoured === true ? styleText(style, text, { validateStream: false }) : text
  const header = ['DRILL', 'CONTROL OFF', 'CONTROL ON', 'HONEST', 'VERDICT']
  const rows = report.drills.map((drill) => [
    drill.id,
    drill.runs.off?.outcome ?? '-',
    drill.runs.on?.outcome ?? '-',
    honestOf(drill),
    drill.verdict,
  ])
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[], style: (column: number) => Style | undefined): string =>
    cells
      .map((cell, column) => {
        const padded = column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)
        const chosen = style(column)
        return chosen === undefined ? padded : paint(chosen, padded)
      })
      .join(COLUMN_GAP)
  const isDetailed = options.isDetailed ?? report.drills.length === 1
  const body = report.drills.flatMap((drill, index) => [
    line(rows[index] ?? [], (column) => styleOfCell(drill, column)),
    ...(isDetailed || drill.verdict === 'failed' || drill.verdict === 'broken'
      ? details(drill)
      : headline(drill)
    ).map((text) => paint('dim', text)),
    ...drill.reasons.map((reason) => paint(drill.verdict === 'skipped' ? 'dim' : 'red', `  ! ${reason}`)),
  ])
  const { passed, failed, broken, skipped } = report.counts
  const summary = [
    `${passed} passed, ${failed} failed`,
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ')
  return `${[
    line(header, () => 'bold'),
    ...body,
    '',
    `${paint(report.verdict === 'passed' ? 'green' : 'red', summary)} (seed ${report.seed})`,
  ].join('\n')}\n`
}

function styleOfCell(drill: DrillResult, column: number): Style | undefined {
  if (column === 1) return drill.runs.off?.outcome === 'breached' ? undefined : 'yellow'
  if (column === 2) return drill.runs.on?.outcome === 'contained' ? undefined : 'red'
  if (column !== 4) return undefined
  if (drill.verdict === 'passed') return 'green'
  return drill.verdict === 'skipped' ? 'dim' : 'red'
}

function honestOf(drill: DrillResult): string {
  const runs = STATES.map((state) => drill.runs[state]).filter((run) => run !== undefined)
  if (runs.length === 0) return '-'
  return runs.every(({ honestWithinLimits }) => honestWithinLimits) ? 'unharmed' : 'harmed'
}

/** `services that failed: 7 → 0`, the first number that says why. */
function headline(drill: DrillResult): string[] {
  const figures = STATES.map((state) => drill.runs[state]?.because[0]).filter(
    (figure) => figure !== undefined,
  )
  const [first, second] = figures
  if (first === undefined) return []
  if (second === undefined || second.name !== first.name)
    return figures.map((figure) => `    ${formatFigure(figure)}`)
  return [
    `    ${first.name}: ${formatQuantity(first.value, first.unit)} → ${formatQuantity(second.value, second.unit)}`,
  ]
}

function details(drill: DrillResult): string[] {
  return STATES.flatMap((state) => {
    const run = drill.runs[state]
    return run === undefined ? [] : [`  control ${state}: ${run.outcome}`, ...figuresOf(run)]
  })
}

function figuresOf(run: DrillRun): string[] {
  return [
    ...(run.error === undefined ? [] : [`    ${run.error.message}`]),
    ...run.because.map((figure) => `    ${formatFigure(figure)}`),
    ...run.honest.map(
      (figure) => `    honest: ${formatFigure(figure)}${isWithinLimits(figure) ? '' : ' OUTSIDE'}`,
    ),
  ]
}
