/**
 * The second door: what is done to policies before they go into force. Tests with coverage, a matrix, a shadow.
 *
 * @module
 */

export {
  readPolicyTests,
  type Expectation,
  type PolicyTest,
  type PolicyTestFile,
} from './testing/read-tests.ts'
export {
  runPolicyTests,
  type PolicyTestDeps,
  type PolicyTestReport,
  type PolicyTestResult,
} from './testing/run-tests.ts'
export type { ConditionCoverage, Coverage, PolicyCoverage } from './testing/coverage.ts'
export { junitOf } from './testing/junit.ts'
export {
  readActionText,
  readUidText,
  requestOf,
  type ContextInput,
  type Question,
} from './testing/question.ts'
export { readMatrix, type MatrixDescription } from './matrix/read-matrix.ts'
export { matrixOf } from './matrix/matrix.ts'
export {
  ShadowComparison,
  type Decider,
  type ShadowGroup,
  type ShadowOptions,
  type ShadowReport,
} from './shadow/shadow.ts'
export { recordsOf, requestOfRecord } from './shadow/replay.ts'
