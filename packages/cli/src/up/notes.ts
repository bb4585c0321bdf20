import { isBreakwaterError, messageOf } from '@breakwater/core'
import { openLogger } from '@breakwater/telemetry'

/** How `up` speaks: what it has to say, what is wrong with the configuration, and why it gives up. */
export interface Notes {
  readonly write: (text: string) => void
  readonly note: (text: string) => void
  readonly complain: (text: string) => void
  readonly fail: (error: unknown) => void
}

const WARNING = 'warning: '

/**
 * Notes for machines: a line of JSON each, with secrets redacted. What a service prints carries its name as `service`; the
 * text that greets people is one line, with the rest of it as `lines`.
 */
export function openJsonNotes(print: (line: string) => void): Notes {
  const log = openLogger({ name: 'breakwater', destination: { write: print } })
  return {
    write(text) {
      const [first = '', ...lines] = linesOf(text)
      log.info({ lines }, first)
    },
    note(text) {
      for (const line of linesOf(text)) {
        const [, service, said] = /^([\w.-]+) \| (.*)$/.exec(line) ?? []
        const own = line.replace(/^breakwater: /, '')
        if (service !== undefined) log.info({ service }, said)
        else if (own.startsWith(WARNING)) log.warn(own.slice(WARNING.length))
        else log.info(own)
      }
    },
    complain(text) {
      for (const line of linesOf(text)) log.error(line)
    },
    fail(error) {
      if (isBreakwaterError(error)) log.fatal({ code: error.code, fix: error.spec.fix }, error.message)
      else log.fatal({ err: error }, messageOf(error))
    },
  }
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}
