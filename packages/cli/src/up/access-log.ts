import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

import type { GatewayConfig } from '@breakwater/contract'
import { openFileSink, writeToStdout } from '@breakwater/telemetry'
import type { WriteBatch } from '@breakwater/telemetry'

export interface AccessLogSink extends AsyncDisposable {
  readonly write: WriteBatch | undefined
  /** For people; `undefined` when it is off. */
  readonly where: string | undefined
}

/** Opens what the configuration names. Dispose of it after the gateway. Throws as `openFileSink`. */
export function openAccessLogSink({ accessLog }: GatewayConfig['telemetry']): AccessLogSink {
  const nothing = (): Promise<void> => Promise.resolve()
  if (accessLog.mode === 'off') return { write: undefined, where: undefined, [Symbol.asyncDispose]: nothing }
  const { toFile } = accessLog
  if (toFile === undefined) {
    return { write: writeToStdout, where: 'standard output', [Symbol.asyncDispose]: nothing }
  }
  mkdirSync(dirname(toFile), { recursive: true })
  const sink = openFileSink(toFile)
  return { write: sink.write, where: toFile, [Symbol.asyncDispose]: () => sink.close() }
}
