import { escapeMarkup } from './escape.ts'
import { formatFigure } from '../figure.ts'
import type { DrillReport, DrillResult } from './report.ts'

/** The report as JUnit XML: one suite, one case per drill. A broken drill is an error, a failed one a failure. */
export function formatJunit(report: DrillReport): string {
  const { failed, broken, skipped } = report.counts
  const attributes = [
    'name="breakwater drill"',
    `tests="${report.drills.length}"`,
    `failures="${failed}"`,
    `errors="${broken}"`,
    `skipped="${skipped}"`,
    `time="${seconds(report.durationMs)}"`,
  ].join(' ')
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite ${attributes}>`,
    ...report.drills.map(testCase),
    '</testsuite></testsuites>',
    '',
  ].join('\n')
}

function testCase(drill: DrillResult): string {
  const open = `<testcase classname="drill.${escapeMarkup(drill.threat.id)}" name="${escapeMarkup(drill.id)}" time="${seconds(drill.durationMs)}">`
  const reasons = escapeMarkup(drill.reasons.join('; '))
  const element = { passed: '', failed: 'failure', broken: 'error', skipped: 'skipped' }[drill.verdict]
  return [
    open,
    ...(element === '' ? [] : [`<${element} message="${reasons}"/>`]),
    `<system-out>${escapeMarkup(narrate(drill))}</system-out>`,
    '</testcase>',
  ].join('')
}

function narrate(drill: DrillResult): string {
  return [drill.runs.off, drill.runs.on]
    .filter((run) => run !== undefined)
    .flatMap((run) => [
      `control ${run.control}: ${run.outcome}`,
      ...(run.error === undefined ? [] : [`  ${run.error.message}`]),
      ...run.because.map((figure) => `  ${formatFigure(figure)}`),
      ...run.honest.map((figure) => `  honest: ${formatFigure(figure)}`),
    ])
    .join('\n')
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3)
}
