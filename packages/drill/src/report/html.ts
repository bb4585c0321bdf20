import { formatQuantity, isWithinLimits } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { escapeMarkup } from './escape.ts'
import type { DrillReport, DrillResult, DrillRun } from './report.ts'

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--odd:#9a6700}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .2rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.number{text-align:right;white-space:nowrap}
.passed{color:var(--good)}.failed,.broken,.outside{color:var(--bad)}.skipped{color:var(--odd)}
.runs{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem}
p.threat{margin:0;opacity:.75}code{font-size:.9em}`

/**
 * The report as one self-contained page: no script, nothing loaded, everything that came from outside escaped.
 */
export function formatHtml(report: DrillReport): string {
  const { passed, failed, broken, skipped } = report.counts
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Breakwater drills: ${report.verdict}</title><style>${STYLE}</style></head><body>
<h1>Breakwater drills: <span class="${report.verdict}">${report.verdict}</span></h1>
<p>${passed} passed, ${failed} failed, ${broken} broken, ${skipped} skipped. Seed ${report.seed}.</p>
<table><thead><tr><th>Drill<th>Threat<th>Controls<th>Off<th>On<th>Verdict</tr></thead><tbody>
${report.drills.map(row).join('\n')}
</tbody></table>
${report.drills.map(section).join('\n')}
</body></html>
`
}

function row(drill: DrillResult): string {
  const controls = drill.controls.map(
    ({ id, code }) => `${escapeMarkup(id)} <code>${escapeMarkup(code)}</code>`,
  )
  return `<tr><td><a href="#${escapeMarkup(drill.id)}">${escapeMarkup(drill.id)}</a><td>${escapeMarkup(drill.threat.id)}<td>${controls.join('<br>')}<td>${drill.runs.off?.outcome ?? '–'}<td>${drill.runs.on?.outcome ?? '–'}<td class="${drill.verdict}">${drill.verdict}</tr>`
}

function section(drill: DrillResult): string {
  const runs = [drill.runs.off, drill.runs.on].filter((run) => run !== undefined)
  return `<h2 id="${escapeMarkup(drill.id)}">${escapeMarkup(drill.title)}: <span class="${drill.verdict}">${drill.verdict}</span></h2>
<p class="threat">${escapeMarkup(drill.threat.title)} (${escapeMarkup(drill.threat.id)}, ${drill.lab} lab)</p>
${drill.reasons.map((reason) => `<p class="${drill.verdict}">${escapeMarkup(reason)}</p>`).join('')}
<div class="runs">${runs.map(runTable).join('')}</div>`
}

function runTable(run: DrillRun): string {
  const error = run.error === undefined ? '' : `<p class="failed">${escapeMarkup(run.error.message)}</p>`
  const rows = [
    ...run.because.map((figure) => figureRow(figure, '')),
    ...run.honest.map((figure) => figureRow(figure, 'honest: ')),
  ]
  return `<div><h3>Control ${run.control}: ${run.outcome}</h3>${error}<table><tbody>${rows.join('')}</tbody></table></div>`
}

function figureRow(figure: Figure, prefix: string): string {
  const limits = [
    figure.atLeast === undefined ? '' : `≥ ${formatQuantity(figure.atLeast, figure.unit)}`,
    figure.atMost === undefined ? '' : `≤ ${formatQuantity(figure.atMost, figure.unit)}`,
  ].filter((limit) => limit !== '')
  const kept = isWithinLimits(figure) ? '' : ' outside'
  return `<tr><td>${prefix}${escapeMarkup(figure.name)}<td class="number${kept}">${escapeMarkup(formatQuantity(figure.value, figure.unit))}<td>${escapeMarkup(limits.join(', '))}</tr>`
}
