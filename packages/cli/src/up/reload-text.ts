import { formatProblem } from '@breakwater/contract'
import type { ReloadReport } from '@breakwater/control'

/** What a reload came to, for the terminal: every problem with its place, then the outcome. What is not in effect is a warning. */
export function reloadText(file: string, report: ReloadReport): string {
  const { isRefused, problems, kept, dropped, needsRestart, failure } = report
  const outcome =
    failure !== undefined
      ? `warning: ${file} is not in effect: ${failure}`
      : isRefused
        ? `warning: ${file} is not in effect: the configuration before it goes on`
        : `${file} is in effect${problems.length > 0 ? ', except for what is wrong' : ''}`
  return [
    ...problems.map((problem) => `warning: ${formatProblem(problem)}`),
    ...kept.map((name) => `warning: ${name} keeps its last good version`),
    ...dropped.map((name) => `warning: ${name} is out of service: it has no good version`),
    ...(needsRestart.length === 0 ? [] : [`${needsRestart.join(', ')}: the change waits for the next start`]),
    outcome,
  ]
    .map((line) => `breakwater: ${line}\n`)
    .join('')
}
