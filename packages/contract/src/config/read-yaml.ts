import { failed, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'
import { sortProblems } from './problem.ts'
import type { ConfigProblem } from './problem.ts'
import { yamlSource } from './source.ts'

/** Reads any YAML 1.2 (so also JSON) with the care of the configuration: duplicate keys are mistakes, all are told at once. */
export function readYaml(text: string, file: string): Result<unknown, readonly ConfigProblem[]> {
  const { value, problems } = yamlSource(text, file)
  return problems.length > 0 ? failed(sortProblems(problems)) : ok(value)
}
