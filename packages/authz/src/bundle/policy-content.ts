import type { PolicySource } from '../engine/policy-source.ts'

/** One file of policies. */
export interface PolicyText {
  /** Its name, for messages: `shop.cedar`. */
  readonly file: string
  readonly text: string
}

/** What decisions are made from: the inside of a bundle, or a folder of files. */
export interface PolicyContent {
  /** In the order in which they are read. A policy is known by its `@id("…")`. */
  readonly policies: readonly PolicyText[]
  /** Cedar schema text. */
  readonly schema?: string
  /** Static entities as JSON text, so that no integer is bent. */
  readonly entities?: string
}

/** The policies of all files as one source, and the way back from a position to the file. */
export class JoinedPolicies {
  readonly source: PolicySource
  readonly #starts: readonly { readonly file: string; readonly line: number }[]

  constructor(policies: readonly PolicyText[]) {
    const starts: { file: string; line: number }[] = []
    let text = ''
    for (const policy of policies) {
      starts.push({ file: policy.file, line: text.split('\n').length })
      // A file that ends inside a comment must not swallow the next one.
      text += policy.text.endsWith('\n') ? policy.text : `${policy.text}\n`
    }
    this.source = { text, ids: 'annotation' }
    this.#starts = starts
  }

  /** `shop.cedar:12:3` for an offset in the joined text. */
  place(offset: number): string {
    const before = (this.source.text ?? '').slice(0, offset)
    return this.#place(before.split('\n').length, offset - before.lastIndexOf('\n'))
  }

  /** Replaces `line 12, column 3` by `shop.cedar:12:3` wherever the engine says it. */
  withPlaces(text: string): string {
    return text.replaceAll(/line (\d+), column (\d+)/g, (_, line: string, column: string) =>
      this.#place(Number(line), Number(column)),
    )
  }

  #place(line: number, column: number): string {
    const start = this.#starts.findLast((one) => one.line <= line)
    return start === undefined ? `${line}:${column}` : `${start.file}:${line - start.line + 1}:${column}`
  }
}
