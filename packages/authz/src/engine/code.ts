import { EntityUid } from '../entities/uid.ts'
import type { UidSource } from '../entities/uid-table.ts'
import { ERROR, type Outcome, type Value } from '../values/value.ts'
import type { Expression } from './ast.ts'
import { frameOf, type Fault, type Frame, type Run } from './frame.ts'

/** A compiled expression, with its value when that is known before any request. */
export interface Code {
  readonly run: Run
  readonly value: Value | undefined
}

/** What the compiler's rules need from their caller. */
export interface Compiler {
  readonly uids: UidSource
  compile(expression: Expression): Code
}

/** A value known now. */
export function constant(value: Value): Code {
  return { run: () => value, value }
}

/** Code whose result depends on the request. */
export function dynamic(run: Run): Code {
  return { run, value: undefined }
}

const nobody = new EntityUid('', '')
const NO_REQUEST: Frame = frameOf(nobody, nobody, nobody)

/** Code that depends on its parts alone: computed now when they are constants. An error stays where it is, to be met
 * only if evaluation gets there. */
export function pure(parts: readonly Code[], run: Run): Code {
  if (parts.some((part) => part.value === undefined)) return dynamic(run)
  const value: Outcome = run(NO_REQUEST)
  return value === ERROR ? dynamic(run) : constant(value)
}

/** Marks the frame with the fault and yields the error. */
export function fail(frame: Frame, fault: Fault): typeof ERROR {
  frame.fault = fault
  return ERROR
}
