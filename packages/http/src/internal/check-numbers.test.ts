import { describe, expect, test } from 'vitest'
import { resolvePoolOptions } from '../client/options.ts'
import { resolveLimits } from '../codec/limits.ts'
import { resolveServerOptions } from '../server/options.ts'
import { resolveFaults } from '../sim/faults.ts'

const invalid = (message: string): object => ({ code: 'BW_HTTP_OPTIONS_INVALID', message })

describe('options out of their range', () => {
  test('are refused at construction, all of them at once, with value and limit', () => {
    expect(() => resolveServerOptions({ headTimeoutMs: 0, minBytesPerSecond: -1 })).toThrow(
      expect.objectContaining(
        invalid(
          'server options: headTimeoutMs must be above 0, got 0; minBytesPerSecond must be 0 or more, got -1',
        ),
      ),
    )
    expect(() => resolvePoolOptions({ maxConnections: Number.NaN })).toThrow(
      expect.objectContaining(invalid('pool options: maxConnections must be above 0, got NaN')),
    )
    expect(() => resolveLimits({ maxFields: -1 })).toThrow(
      expect.objectContaining(invalid('limits: maxFields must be 0 or more, got -1')),
    )
    expect(() => resolveFaults({ splitRatio: 2 })).toThrow(
      expect.objectContaining(invalid('link faults: splitRatio must be from 0 to 1, got 2')),
    )
  })

  test('are not those at the edge', () => {
    expect(resolveServerOptions({ minBytesPerSecond: 0 }).minBytesPerSecond).toBe(0)
    expect(resolvePoolOptions({ maxPending: 0, idleTimeoutMs: Infinity }).maxPending).toBe(0)
    expect(resolveLimits({ maxBodyBytes: 0 }).maxBodyBytes).toBe(0)
  })
})
