import { describe, expect, test } from 'vitest'

import { passing, scriptedDrill, uncontained, unableToGoRed } from '../../test/examples.ts'
import { runDrills } from '../runner.ts'
import { formatHtml } from './html.ts'
import { formatJunit } from './junit.ts'
import type { DrillReport } from './report.ts'
import { formatReport } from './text.ts'

/** Durations are real time: golden files get made-up ones. */
function timeless(report: DrillReport): DrillReport {
  const drills = report.drills.map((drill) => ({ ...drill, durationMs: 1500 }))
  return { ...report, drills, durationMs: 6000 }
}

const crashing = scriptedDrill(
  {
    off: { outcome: 'crashed', isHonestUnharmed: true },
    on: { outcome: 'contained', isHonestUnharmed: false },
  },
  'crashing',
)
const report = timeless(
  await runDrills([passing('cascade'), unableToGoRed('toothless'), uncontained('too-weak'), crashing], {
    seed: 7,
  }),
)
const hostile: DrillReport = {
  ...report,
  drills: report.drills.slice(0, 1).map((drill) => ({
    ...drill,
    title: `"><script>alert('1')</script>&amp;`,
    reasons: ['a \u0000 byte, a \u001b[31m code and ]]> in one'],
    verdict: 'failed',
  })),
}

describe('the table', () => {
  test('is the golden one', async () => {
    await expect(formatReport(report)).toMatchFileSnapshot('../../test/golden/report.txt')
  })

  test('shows every figure when there is one drill only', async () => {
    const single = timeless(await runDrills([passing('cascade')]))
    await expect(formatReport(single)).toMatchFileSnapshot('../../test/golden/single.txt')
  })

  test('has colours only when asked', () => {
    expect(formatReport(report)).not.toContain('\u001b[')
    expect(formatReport(report, { isColoured: true })).toContain('\u001b[31mfailed')
  })
})

describe('the JUnit report', () => {
  test('is the golden one', async () => {
    await expect(formatJunit(report)).toMatchFileSnapshot('../../test/golden/junit.xml')
  })

  test('escapes what came from outside and leaves out what XML bars', () => {
    const xml = formatJunit(hostile)
    expect(xml).toContain('message="a \ufffd byte, a \ufffd[31m code and ]]&gt; in one"')
    expect(xml).not.toContain('\u0000')
  })
})

describe('the page', () => {
  test('is the golden one', async () => {
    await expect(formatHtml(report)).toMatchFileSnapshot('../../test/golden/report.html')
  })

  test('escapes what came from outside, runs no script and loads nothing', () => {
    const page = formatHtml(hostile)
    expect(page).toContain('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;')
    expect(page).not.toMatch(/<script|src=|href="[^#]|url\(/)
  })
})
