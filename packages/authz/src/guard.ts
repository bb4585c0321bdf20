/**
 * The fifth door: checks that application code cannot forget.
 *
 * @module
 */

export { guard } from './guard/guard.ts'
export type { Checked, Decider, Guard, GuardInput, GuardOptions, Who } from './guard/guard.ts'
export { GuardedRouter } from './guard/guarded-router.ts'
export type { GuardedRequest, HandlerCall } from './guard/guarded-router.ts'
export { ListGuard, VisibleRows } from './guard/list-guard.ts'
export type { ListPlanner } from './guard/list-guard.ts'
export { acceptOnly, isServerField } from './guard/accept-only.ts'
export type { Accepted } from './guard/accept-only.ts'
export { Refused, isRefused } from './guard/refused.ts'
export { fieldsOfMask, withoutFields } from './guard/masking.ts'
export { RowReader, type RowShape } from './guard/row-reader.ts'
export {
  isDocumentObject,
  readDocument,
  valueIn,
  type JsonDocument,
  type JsonDocumentObject,
} from './literals/json-document.ts'
