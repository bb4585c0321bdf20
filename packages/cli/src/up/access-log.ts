import { dirname } from 'node:path'

import type { GatewayConfig } from '@breakwater/contract'
import { makeFolder } from '@breakwater/core'
import { openFileSink, writeToStdout } from '@breakwater/telemetry'
import type { WriteBatch } from '@breakwater/telemetry'

export interface AccessLogSink extends AsyncDisposable {
  readonly write: WriteBatch | undefined
  /** For people; `undefined` when it is off. */
  readonly where: string | undefined
}

/**
 * Opens what the configuration names. Dispose of it after the gateway. Throws as `openFileSink`. `note` hears when lines
 * begin to be lost, and when that is over.
 */
export function openAccessLogSink(
  { accessLog }: GatewayConfig['telemetry'],
  note: (text: string) => void,
): AccessLogSink {
  const nothing = (): Promise<void> => Promise.resolve()
  if (accessLog.mode === 'off') return { write: undefined, where: undefined, [Symbol.asyncDispose]: nothing }
  const { toFile } = accessLog
  if (toFile === undefined) {
    return { write: writeToStdout, where: 'standard output', [Symbol.asyncDispose]: nothing }
  }
  try {
    makeFolder(dirname(toFile))
  } catch {
    // What keeps the folder from being made keeps the file from being opened: said once, there.
  }
  const sink = openFileSink(toFile)
  return {
    write: telling(sink.write, toFile, note),
    where: toFile,
    [Symbol.asyncDispose]: () => sink.close(),
  }
}

/** Says once that lines are lost, not once a batch: a full disk meets every batch. */
function telling(write: WriteBatch, where: string, note: (text: string) => void): WriteBatch {
  let isFailing = false
  return (batch, done) =>
    write(batch, (error) => {
      const fails = error !== undefined && error !== null
      if (fails && !isFailing) {
        note(
          `breakwater: warning: the access log ${where} cannot be written (${error.message}). Make room, or name another with telemetry.accessLog.to; until then lines are lost and counted, the traffic goes on\n`,
        )
      }
      if (!fails && isFailing) note(`breakwater: the access log ${where} is written again\n`)
      isFailing = fails
      done(error)
    })
}
