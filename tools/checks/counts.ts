import { existsSync, readFileSync } from 'node:fs'

export interface Counts {
  passed: number
  failed: number
}

/** Counts single tests in vitest's JSON report; a file that could not be loaded counts as one failure. */
export function countVitest(file: string): Counts {
  if (!existsSync(file)) return { passed: 0, failed: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    testResults: readonly { status: string; assertionResults: readonly unknown[] }[]
  }
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length }
}

/** Counts drills in what `breakwater drill --all --json` prints. */
export function countDrills(json: string): Counts {
  if (!json.startsWith('{')) return { passed: 0, failed: 0 }
  const { drills } = JSON.parse(json) as { drills: readonly { verdict: string }[] }
  const passed = drills.filter(({ verdict }) => verdict === 'passed').length
  return { passed, failed: drills.length - passed }
}
