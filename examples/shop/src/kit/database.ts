import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolder, randomHex } from '@breakwater/core'
import type { ShopEventDefinition } from '../events.ts'
import type { CallContext } from './context.ts'
import { traceIdOf } from './context.ts'
import type { ServiceEnvironment } from './service.ts'

const OUTBOX = `
  CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    tenant_id TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT`

/** Part of the file's name: tables of another shape are in a file of another name. */
const SHAPE = 3

/** Opens the service's SQLite database, a file in the data folder or memory, with its tables and the outbox. */
export function openDatabase(environment: ServiceEnvironment, tables: string): DatabaseSync {
  const { dataDir, name } = environment
  if (dataDir !== undefined) makeFolder(dataDir)
  const database = new DatabaseSync(
    dataDir === undefined ? ':memory:' : join(dataDir, `${name}.${SHAPE}.sqlite`),
  )
  database.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON;')
  database.exec(tables)
  database.exec(OUTBOX)
  return database
}

/** Runs `work` in one transaction: all of it stays or none. */
export function inTransaction<Value>(database: DatabaseSync, work: () => Value): Value {
  database.exec('BEGIN IMMEDIATE')
  try {
    const value = work()
    database.exec('COMMIT')
    return value
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/** Writes an event down for whoever carries it on. Call it in the transaction of what it tells about. */
export function appendEvent<Payload extends { readonly tenantId: string }>(
  database: DatabaseSync,
  event: ShopEventDefinition<Payload>,
  payload: Payload,
  context: CallContext,
): void {
  database
    .prepare(
      'INSERT INTO outbox (event_id, name, version, tenant_id, occurred_at, trace_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      randomHex(16),
      event.name,
      event.version,
      payload.tenantId,
      new Date().toISOString(),
      traceIdOf(context),
      JSON.stringify(event.payload.parse(payload)),
    )
}

/** Tells two requests under one idempotency key apart. */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex')
}
