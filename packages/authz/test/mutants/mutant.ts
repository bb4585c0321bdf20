/** One planted mistake: in `file` (below `src`), the only occurrence of `find` becomes `become`. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly become: string
}

export const inFile = (file: string, ...entries: readonly (readonly [string, string, string])[]): Mutant[] =>
  entries.map(([name, find, become]) => ({ name, file, find, become }))
