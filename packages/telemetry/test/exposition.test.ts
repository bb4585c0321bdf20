import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MetricsRegistry } from '../src/index.ts'
import { parseExposition } from './parse-exposition.ts'
import type { Sample } from './parse-exposition.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 12 })

function samplesOf(registry: MetricsRegistry, name: string): readonly Sample[] {
  return parseExposition(registry.expose()).find((family) => family.name === name)?.samples ?? []
}

describe('the exposition', () => {
  test('gives back every label value and help text that went in, whatever characters they hold', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.uniqueArray(fc.tuple(anyText, anyText), { selector: ([a, b]) => JSON.stringify([a, b]) }),
        (help, sets) => {
          const registry = new MetricsRegistry()
          const family = registry.counter({ name: 'breakwater_things_total', help, labels: ['a', 'b'] })
          for (const [index, [a, b]] of sets.entries()) family.labels(a, b).add(index + 1)
          const parsed = parseExposition(registry.expose()).find(
            ({ name }) => name === 'breakwater_things_total',
          )
          const back =
            parsed?.samples.map(({ labels, value }) => [labels.get('a'), labels.get('b'), value]) ?? []
          expect(back).toEqual(sets.map(([a, b], index) => [a, b, index + 1]))
          if (sets.length > 0) expect(parsed?.help).toBe(help)
        },
      ),
    )
  })

  test('replaces half a surrogate pair, which UTF-8 cannot carry', () => {
    const registry = new MetricsRegistry()
    registry
      .counter({ name: 'breakwater_things_total', help: 'h', labels: ['a'] })
      .labels('x\ud800y')
      .inc()
    expect(samplesOf(registry, 'breakwater_things_total')[0]?.labels.get('a')).toBe('x\ufffdy')
  })

  test('counts each observation in every bucket at or above it, and sums them', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -10, max: 200 }), { maxLength: 50 })
    const bounds = fc
      .uniqueArray(fc.integer({ min: -5, max: 100 }), { minLength: 1, maxLength: 8 })
      .map((list) => list.toSorted((one, two) => one - two))
    fc.assert(
      fc.property(values, bounds, (observed, buckets) => {
        const registry = new MetricsRegistry()
        const histogram = registry.histogram({ name: 'breakwater_wait_seconds', help: 'h', buckets }).labels()
        for (const value of observed) histogram.observe(value)
        const samples = samplesOf(registry, 'breakwater_wait_seconds')
        for (const bound of [...buckets, Infinity]) {
          const le = bound === Infinity ? '+Inf' : String(bound)
          const bucket = samples.find(({ labels }) => labels.get('le') === le)
          expect(bucket?.value).toBe(observed.filter((value) => value <= bound).length)
        }
        expect(samples.find(({ name }) => name.endsWith('_count'))?.value).toBe(observed.length)
        expect(samples.find(({ name }) => name.endsWith('_sum'))?.value).toBeCloseTo(
          observed.reduce((sum, value) => sum + value, 0),
          6,
        )
        expect(histogram.count).toBe(observed.length)
      }),
    )
  })

  test('writes what is not finite as Prometheus reads it', () => {
    const registry = new MetricsRegistry()
    const gauge = registry.gauge({ name: 'breakwater_level_ratio', help: 'h', labels: ['which'] })
    gauge.labels('up').set(Infinity)
    gauge.labels('down').set(-Infinity)
    gauge.labels('none').set(Number.NaN)
    gauge.labels('large').set(1.5e300)
    expect(samplesOf(registry, 'breakwater_level_ratio').map(({ value }) => value)).toEqual([
      Infinity,
      -Infinity,
      Number.NaN,
      1.5e300,
    ])
    expect(registry.expose()).toContain('breakwater_level_ratio{which="up"} +Inf\n')
  })

  test('never exceeds the label budget, loses no count, and stays valid when a real label reads "other"', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('other'), fc.string({ maxLength: 3 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (routes, maxSeries) => {
          const registry = new MetricsRegistry()
          const family = registry.counter({
            name: 'breakwater_hits_total',
            help: 'h',
            labels: ['route'],
            maxSeries,
          })
          for (const route of routes) family.labels(route).inc()
          const samples = samplesOf(registry, 'breakwater_hits_total')
          expect(samples.length).toBeLessThanOrEqual(maxSeries + 1)
          expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(routes.length)
        },
      ),
    )
  })
})
