import type { Terminal } from '../src/commands/terminal.ts'

/** What a command said and ended with. */
export interface Heard {
  out: string
  err: string
  /** 0 while it has set none. */
  code: number
}

/** A terminal that nobody interrupts, and what is said to it. */
export function hearing(): { readonly terminal: Terminal; readonly heard: Heard } {
  const heard: Heard = { out: '', err: '', code: 0 }
  const terminal: Terminal = {
    write: (part) => (heard.out += part),
    note: (part) => (heard.err += part),
    isColoured: false,
    setExitCode: (code) => (heard.code = code),
    interrupted: () => new AbortController().signal,
  }
  return { terminal, heard }
}
