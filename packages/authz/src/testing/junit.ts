import type { PolicyTestReport } from './run-tests.ts'

/** The report in JUnit's XML, as build servers read it. */
export function junitOf(report: PolicyTestReport): string {
  const cases = report.results.map(({ file, name, differences, explanation = '' }) => {
    const head = `  <testcase classname="${escaped(file)}" name="${escaped(name)}"`
    if (differences.length === 0) return `${head}/>`
    return `${head}>\n    <failure message="${escaped(differences.join('; '))}">${escaped(explanation)}</failure>\n  </testcase>`
  })
  const { failed, results } = report
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="authz" tests="${results.length}" failures="${failed}">`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n')
}

// XML 1.0 has no place for control characters, not even as references.
const UNSPEAKABLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
}

function escaped(text: string): string {
  return text
    .replace(UNSPEAKABLE, '\ufffd')
    .replaceAll(/[&<>"\n]/g, (character) => ESCAPES[character] ?? character)
}
