/** A column that holds an attribute. SQL NULL means that the resource does not have the attribute. */
export type AttributeColumn =
  | { readonly column: string; readonly type: 'long' | 'string' | 'boolean' }
  /** Whole milliseconds since 1970-01-01T00:00:00Z. */
  | { readonly column: string; readonly type: 'datetime' }
  /** The id of an entity of one type. */
  | { readonly column: string; readonly type: 'entity'; readonly entityType: string }

/** How the rows of a table are entities. */
export interface ResourceTable {
  readonly entityType: string
  /** Column of the entity's id. */
  readonly id: string
  readonly attributes: Readonly<Record<string, AttributeColumn>>
  /** Columns that name a direct parent. Every parent must be here, or left out as a whole when they are not in columns. */
  readonly parents?: readonly { readonly column: string; readonly entityType: string }[]
}

/** A value in a database, and a parameter of a statement. */
export type SqlValue = string | number | bigint | boolean

/** A row of the table, by column. */
export type Row = Readonly<Record<string, SqlValue | null>>
