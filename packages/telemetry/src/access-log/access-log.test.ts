import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@breakwater/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MetricsRegistry } from '../metrics/registry.ts'
import { AccessLog } from './access-log.ts'
import type { AccessLogOptions } from './access-log.ts'
import type { AccessLogEntry } from './line.ts'
import { openFileSink } from './sinks.ts'

const entry: AccessLogEntry = {
  timeMs: Date.UTC(2026, 10, 23, 4, 5, 6, 7),
  requestId: 'r-12345678',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  method: 'GET',
  path: '/orders/7',
  status: 200,
  durationMs: 1.23456,
  attempts: 1,
  requestBytes: 0,
  responseBytes: 512,
  remoteAddress: '127.0.0.1',
}

/** A log whose time and sink are moved by hand. */
function openByHand(options: Partial<AccessLogOptions> = {}, random = (): number => 0.5) {
  const batches: string[] = []
  const answers: ((error?: Error | null) => void)[] = []
  const clock = new VirtualClock()
  const log = new AccessLog(
    {
      write: (batch, done) => {
        batches.push(Buffer.from(batch).toString('latin1'))
        answers.push(done)
      },
      bufferBytes: 65_536,
      ...options,
    },
    { clock, random },
  )
  const passTime = (): void => clock.runUntil(clock.now() + 25)
  const answer = (error?: Error): void => answers.shift()?.(error)
  return { log, batches, clock, passTime, answer }
}

describe('the access log', () => {
  test('writes all lines that gather in a while in one go', () => {
    const { log, batches, passTime } = openByHand()
    for (let n = 0; n < 5; n++) log.log({ ...entry, path: `/orders/${n}` })
    expect(batches).toEqual([])
    passTime()
    expect(batches).toHaveLength(1)
    expect(batches[0]?.trim().split('\n')).toHaveLength(5)
  })

  test('does not wait for more lines when a batch is full', () => {
    const { log, batches } = openByHand({ batchBytes: 500 })
    for (let n = 0; n < 3; n++) log.log(entry)
    expect(batches).toHaveLength(1)
  })

  test('writes the same fields in the same order, absent ones left out', () => {
    const { log, batches, passTime } = openByHand()
    log.log({
      ...entry,
      query: 'page=2',
      route: 'orders',
      tenant: 'acme',
      code: 'BW_X',
      fault: 'upstream',
      status: 503,
    })
    passTime()
    expect(JSON.parse(batches[0] ?? '')).toEqual({
      time: '2026-11-23T04:05:06.007Z',
      requestId: 'r-12345678',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      method: 'GET',
      path: '/orders/7',
      query: 'page=***',
      route: 'orders',
      status: 503,
      durationMs: 1.235,
      attempts: 1,
      requestBytes: 0,
      responseBytes: 512,
      remoteAddress: '127.0.0.1',
      tenant: 'acme',
      code: 'BW_X',
      fault: 'upstream',
    })
  })

  test('gives each line the time of its own request, over the border of seconds too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })),
        (dates) => {
          const { log, batches, passTime } = openByHand()
          for (const date of dates) log.log({ ...entry, timeMs: date.getTime() })
          passTime()
          const lines = (batches[0] ?? '').split('\n').slice(0, -1)
          expect(lines.map((line) => (JSON.parse(line) as { time: string }).time)).toEqual(
            dates.map((date) => date.toISOString()),
          )
        },
      ),
    )
  })

  test('logs no value of a query unless it is told to', () => {
    const query = 'token=s3cret&page=2&s3cret&x=s3cret=s3cret'
    const logged = (mode?: AccessLogOptions['query']): string => {
      const { log, batches, passTime } = openByHand(mode === undefined ? {} : { query: mode })
      log.log({ ...entry, query })
      passTime()
      return batches[0] ?? ''
    }
    expect(logged()).not.toContain('s3cret')
    expect(logged()).toContain('"query":"token=***&page=***&***&x=***"')
    expect(logged('omit')).not.toContain('query')
    expect(logged('keep')).toContain(query)
  })

  test('logs the headers that were asked for, and never the value of a secret one', () => {
    const { log, batches, passTime } = openByHand()
    const secrets = ['authorization', 'Cookie', 'proxy-authorization', 'x-api-key', 'x-session-token']
    log.log({ ...entry, headers: ['accept', 'a"b', ...secrets.flatMap((name) => [name, 's3cret'])] })
    passTime()
    expect(batches[0]).not.toContain('s3cret')
    const { headers } = JSON.parse(batches[0] ?? '') as { headers: Record<string, string> }
    expect(headers).toMatchObject({ accept: 'a"b', Cookie: '***' })
  })

  test('never lets a value break out of its line, and keeps a byte for each character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const { log, batches, passTime } = openByHand()
        log.log({ ...entry, path: text, userAgent: text })
        passTime()
        const batch = batches[0] ?? ''
        expect(batch.indexOf('\n')).toBe(batch.length - 1)
        expect(batch).toMatch(/^[\x20-\x7e]*\n$/)
        expect(JSON.parse(batch)).toMatchObject({ path: text, userAgent: text })
      }),
    )
  })

  test('tells durations to the microsecond, and null for what is no number', () => {
    const logged = (durationMs: number): unknown => {
      const { log, batches, passTime } = openByHand()
      log.log({ ...entry, durationMs })
      passTime()
      return (JSON.parse(batches[0] ?? '') as { durationMs: unknown }).durationMs
    }
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 0, max: 1e9 }), (durationMs) => {
        expect(logged(durationMs)).toBe(Math.round(durationMs * 1000) / 1000)
      }),
    )
    expect(logged(Number.NaN)).toBe(null)
    expect(logged(0)).toBe(0)
  })

  test('cuts a field that is out of all proportion', () => {
    const { log, batches, passTime } = openByHand()
    log.log({ ...entry, path: 'p'.repeat(1_000_000) })
    passTime()
    expect(batches[0]?.length).toBeLessThan(4096)
  })
})

describe('a slow sink', () => {
  test('costs lines, counted, and never memory', () => {
    const { log, batches, passTime, answer } = openByHand({ bufferBytes: 16_384 })
    log.log(entry)
    passTime()
    for (let n = 0; n < 10_000; n++) {
      log.log(entry)
      expect(log.bufferedBytes).toBeLessThanOrEqual(8192)
    }
    expect(batches).toHaveLength(1)
    expect(log.droppedLines).toBeGreaterThan(9900)
    answer()
    answer()
    const lines = batches.join('').split('\n').length - 1
    expect(log.writtenLines).toBe(lines)
    expect(log.writtenLines + log.droppedLines).toBe(10_001)
  })

  test('gets what has gathered as soon as it has answered', () => {
    const { log, batches, passTime, answer } = openByHand()
    log.log(entry)
    passTime()
    log.log({ ...entry, path: '/later' })
    passTime()
    expect(batches).toHaveLength(1)
    answer()
    expect(batches[1]).toContain('/later')
  })

  test('that fails costs the lines it was given, and the next ones get their chance', () => {
    const { log, batches, passTime, answer } = openByHand()
    log.log(entry)
    passTime()
    answer(new Error('disk full'))
    log.log(entry)
    passTime()
    answer()
    expect([log.writtenLines, log.droppedLines, batches.length]).toEqual([1, 1, 2])
  })

  test('that throws harms nobody', () => {
    const { log, passTime } = openByHand({
      write: () => {
        throw new Error('broken')
      },
    })
    log.log(entry)
    passTime()
    expect(log.droppedLines).toBe(1)
  })
})

describe('sampling', () => {
  test('leaves out its share of what went well, and nothing of what did not', () => {
    const { log } = openByHand({ sampleRatio: 0.25 }, () => 0.5)
    log.log(entry)
    log.log({ ...entry, status: 302 })
    expect(log.sampledOutLines).toBe(2)
    for (const failed of [{ status: 404 }, { status: 503 }, { status: 0 }, { code: 'BW_GATEWAY_DEGRADED' }]) {
      log.log({ ...entry, ...failed })
    }
    expect(log.sampledOutLines).toBe(2)
    const lucky = openByHand({ sampleRatio: 0.25 }, () => 0.2)
    lucky.log.log(entry)
    expect(lucky.log.sampledOutLines).toBe(0)
  })
})

describe('closing', () => {
  test('writes what is left, waits for the sink, and takes nothing more', async () => {
    const { log, batches, answer } = openByHand()
    log.log(entry)
    let closed = false
    const closing = log.close().then(() => (closed = true))
    expect(batches).toHaveLength(1)
    await Promise.resolve()
    expect(closed).toBe(false)
    answer()
    await closing
    log.log(entry)
    expect([log.writtenLines, log.droppedLines]).toEqual([1, 1])
  })

  test('gives up on a sink that does not answer, and counts its lines as lost', async () => {
    const { log, passTime, clock, answer } = openByHand({ closeTimeoutMs: 500 })
    log.log(entry)
    passTime()
    log.log(entry)
    const closing = log.close()
    await clock.advance(500)
    await closing
    answer()
    expect([log.writtenLines, log.droppedLines]).toEqual([0, 2])
  })

  test('is over at once when nothing is left', async () => {
    const { log } = openByHand()
    await log.close()
    expect(log.writtenLines).toBe(0)
  })
})

test('tells its counts to a registry', () => {
  const registry = new MetricsRegistry()
  const { log, passTime, answer } = openByHand({ sampleRatio: 0 })
  log.publishTo(registry)
  log.log(entry)
  log.log({ ...entry, status: 500 })
  passTime()
  answer()
  const text = registry.expose()
  expect(text).toContain('breakwater_access_log_lines_total{outcome="written"} 1\n')
  expect(text).toContain('breakwater_access_log_lines_total{outcome="sampled-out"} 1\n')
})

test('appends whole lines to a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'access-log-'))
  try {
    const path = join(folder, 'access.log')
    for (let run = 0; run < 2; run++) {
      const sink = openFileSink(path)
      const log = new AccessLog({ write: sink.write })
      for (let n = 0; n < 1000; n++) log.log({ ...entry, path: `/${run}/${n}` })
      await log.close()
      await sink.close()
      expect(log.droppedLines).toBe(0)
    }
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    expect(lines).toHaveLength(2000)
    expect((JSON.parse(lines.at(-1) ?? '') as { path: string }).path).toBe('/1/999')
    expect(() => openFileSink(join(folder, 'missing', 'access.log'))).toThrow(
      expect.objectContaining({ code: 'BW_TELEMETRY_SINK_UNAVAILABLE' }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('refuses options out of range, all at once', () => {
  expect(
    () =>
      new AccessLog({ write: () => {}, bufferBytes: 10, sampleRatio: 2, batchBytes: 0, closeTimeoutMs: -1 }),
  ).toThrow(/bufferBytes.*batchBytes.*sampleRatio.*closeTimeoutMs/)
})
