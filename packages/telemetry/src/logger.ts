import { isBreakwaterError } from '@breakwater/core'
import { destination, pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { REDACTED, namesSecret, redactedText } from './redaction.ts'

export interface LoggerOptions {
  /** Name of the process: `gateway`, `control`. */
  readonly name: string
  /** Default `info`. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Where lines go. Default standard error, so that standard output stays free for what a command prints. */
  readonly destination?: DestinationStream
}

const MAX_DEPTH = 8

/**
 * Opens the log of a process: JSON lines through pino. Values under keys that name a secret (`authorization`, `cookie`,
 * `password`, `…token`, `…secret`, `…apiKey` and their like) are replaced at any depth, and so are credentials inside
 * text. Not for the data path: requests go to the access log.
 */
export function openLogger(options: LoggerOptions): Logger {
  const logger = pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (record) => redactedRecord(record),
      },
      // `formatters.log` has turned errors into plain objects by then.
      serializers: { err: (value: unknown) => value },
      hooks: {
        logMethod(args, method) {
          const cleaned = args.map((arg: unknown) => (typeof arg === 'string' ? redactedText(arg) : arg))
          Reflect.apply(method, this, cleaned)
        },
      },
    },
    options.destination ?? destination({ fd: 2, sync: false }),
  )
  // pino runs no formatter over the bindings of children; children inherit this method.
  const { child } = logger
  Object.defineProperty(logger, 'child', {
    value(this: Logger, bindings: object, childOptions?: object): unknown {
      return Reflect.apply(child, this, [redactedRecord(bindings), childOptions])
    },
  })
  return logger
}

function redactedRecord(record: object): Record<string, unknown> {
  const output: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(record)) {
    output[key] = namesSecret(key) ? REDACTED : redactedValue(value, 1)
  }
  return output
}

function redactedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactedText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) return '[deeper]'
  if (value instanceof Error) return errorRecord(value, depth)
  if (Array.isArray(value)) return value.map((item) => redactedValue(item, depth + 1))
  if (value instanceof Map) return redactedValue(Object.fromEntries(value), depth)
  const asJson: unknown = Reflect.get(value, 'toJSON')
  if (typeof asJson === 'function') return redactedValue(Reflect.apply(asJson, value, []), depth + 1)
  const output: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    output[key] = namesSecret(key) ? REDACTED : redactedValue(item, depth + 1)
  }
  return output
}

function errorRecord(error: Error, depth: number): Record<string, unknown> {
  const coded = isBreakwaterError(error)
    ? { code: error.code, fault: error.spec.fault, details: redactedValue(error.details, depth + 1) }
    : { code: Reflect.get(error, 'code') }
  return {
    type: error.name,
    message: redactedText(error.message),
    ...coded,
    stack: redactedText(error.stack ?? ''),
    ...(error.cause === undefined ? undefined : { cause: redactedValue(error.cause, depth + 1) }),
  }
}
