import type { UidTable } from '../entities/uid-table.ts'
import type { ValueInput } from '../entities/read-entities.ts'
import type { RecordType } from '../schema/schema.ts'
import type { CedarRecord } from '../values/record.ts'
import type { KnownQuestions } from './known-question.ts'

/**
 * A context that comes with question after question. It stands wherever the same plain object may, and whatever reads it as an
 * object sees just that; it is read once, and again only when identities were added since, or another action wants another
 * type of it. It must never change.
 */
export class KnownContext {
  readonly [name: string]: ValueInput
  #record: CedarRecord | undefined
  #type: RecordType | undefined
  #table: UidTable | undefined
  #added = -1
  #questions: KnownQuestions | undefined
  #texts: { readonly of: object; readonly texts: readonly string[] } | undefined

  constructor(fields: { readonly [name: string]: ValueInput }) {
    // Defined, not assigned: `__proto__` is an ordinary name in a policy.
    for (const [name, value] of Object.entries(fields))
      Object.defineProperty(this, name, { value, enumerable: true })
  }

  /** What was read of it; undefined when that was nothing, or no longer holds. `type`: the action's, where there is a schema. */
  static recordOf(
    context: KnownContext,
    table: UidTable,
    type: RecordType | undefined,
  ): CedarRecord | undefined {
    const isSame = context.#table === table && context.#type === type && context.#added === table.added
    return isSame ? context.#record : undefined
  }

  static keep(
    context: KnownContext,
    record: CedarRecord,
    table: UidTable,
    type: RecordType | undefined,
  ): void {
    context.#record = record
    context.#type = type
    context.#table = table
    context.#added = table.added
  }

  static questions(context: KnownContext): KnownQuestions | undefined {
    return context.#questions
  }

  static remember(context: KnownContext, questions: KnownQuestions): void {
    context.#questions = questions
  }

  /** What `write` makes of it for `of`, made once. */
  static texts(
    context: KnownContext,
    of: object,
    write: (context: KnownContext) => readonly string[],
  ): readonly string[] {
    if (context.#texts?.of !== of) context.#texts = { of, texts: write(context) }
    return context.#texts.texts
  }
}
