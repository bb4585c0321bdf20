import { isBreakwaterError } from '@breakwater/core'

import { fileMistake } from './file-mistake.ts'

/** What was asked for cannot be done as it was asked: the words, the configuration, or a file that was named. */
export const WRONG_USAGE = 2
const FAILED = 1

/** The exit code of what went wrong, however it is told. */
export function exitCodeOf(error: unknown): number {
  if (!isBreakwaterError(error)) return fileMistake(error) === undefined ? FAILED : WRONG_USAGE
  const { code } = error
  return code.startsWith('BW_CONFIG_') || code === 'BW_DRILL_NOT_FOUND' ? WRONG_USAGE : FAILED
}
