import { describe, expect, test } from 'vitest'
import { MetricsRegistry } from './registry.ts'

const invalid = expect.objectContaining({ code: 'BW_TELEMETRY_METRIC_INVALID' })

describe('the label budget', () => {
  test('counts what is over the budget under "other" and says how often that happened', () => {
    const registry = new MetricsRegistry()
    const hits = registry.counter({
      name: 'breakwater_hits_total',
      help: 'h',
      labels: ['route', 'status'],
      maxSeries: 2,
    })
    for (const route of ['a', 'b', 'c', 'd', 'd']) hits.labels(route, '200').inc()
    expect(registry.expose()).toContain('breakwater_hits_total{route="other",status="other"} 3\n')
    expect(registry.expose()).toContain(
      'breakwater_metrics_overflow_total{metric="breakwater_hits_total"} 3\n',
    )
    expect(hits.seriesCount).toBe(2)
  })

  test('has room again when a series is removed, and the new series starts at zero', () => {
    const registry = new MetricsRegistry()
    const hits = registry.counter({
      name: 'breakwater_hits_total',
      help: 'h',
      labels: ['route'],
      maxSeries: 1,
    })
    hits.labels('old').add(7)
    expect(hits.remove('old')).toBe(true)
    expect(hits.remove('old')).toBe(false)
    expect(hits.labels('new').value).toBe(0)
    expect(registry.expose()).not.toContain('old')
  })

  test('keeps a handle of a removed series away from the series that took its place', () => {
    const registry = new MetricsRegistry()
    const waits = registry.histogram({
      name: 'breakwater_wait_seconds',
      help: 'h',
      labels: ['route'],
      buckets: [1],
    })
    const stale = waits.labels('old')
    stale.observe(0.5)
    waits.remove('old')
    const fresh = waits.labels('new')
    stale.observe(0.5)
    expect(stale.count).toBe(2)
    expect(fresh.count).toBe(0)
  })
})

describe('a metric', () => {
  test('is one handle per label set, however often it is asked for', () => {
    const hits = new MetricsRegistry().counter({
      name: 'breakwater_hits_total',
      help: 'h',
      labels: ['route'],
    })
    expect(hits.labels('a')).toBe(hits.labels('a'))
  })

  test('never mixes the numbers of many series', () => {
    const registry = new MetricsRegistry({ maxSeries: 5000 })
    const waits = registry.histogram({
      name: 'breakwater_wait_seconds',
      help: 'h',
      labels: ['n'],
      buckets: [1, 2, 3],
    })
    const handles = Array.from({ length: 3000 }, (_, n) => waits.labels(String(n)))
    for (const [n, handle] of handles.entries())
      for (let times = 0; times < n % 4; times++) handle.observe(n % 5)
    expect(handles.every((handle, n) => handle.count === n % 4 && handle.sum === (n % 4) * (n % 5))).toBe(
      true,
    )
  })

  test('lets a counter neither fall nor turn into NaN', () => {
    const counter = new MetricsRegistry().counter({ name: 'breakwater_hits_total', help: 'h' }).labels()
    counter.add(2)
    counter.add(-1)
    counter.add(Number.NaN)
    expect(counter.value).toBe(2)
  })

  test('leaves NaN out of a histogram, whose sum it would destroy', () => {
    const wait = new MetricsRegistry().histogram({ name: 'breakwater_wait_seconds', help: 'h' }).labels()
    wait.observe(Number.NaN)
    wait.observe(0.25)
    expect([wait.count, wait.sum]).toEqual([1, 0.25])
  })

  test('shows a metric without labels at zero before anything has happened', () => {
    const registry = new MetricsRegistry()
    registry.counter({ name: 'breakwater_hits_total', help: 'h' })
    expect(registry.expose()).toContain('\nbreakwater_hits_total 0\n')
  })

  test('is refused with every problem at once when its definition is wrong', () => {
    const registry = new MetricsRegistry()
    expect(() =>
      registry.counter({ name: 'breakwater-hits', help: 'h', labels: ['a', 'a', '__b'], maxSeries: 0 }),
    ).toThrow(
      /ends in _total.*not a metric name.*"__b" is not a label name.*named twice.*maxSeries must be a whole number/,
    )
    expect(() => registry.gauge({ name: 'breakwater_hits_total', help: 'h' })).toThrow(invalid)
    expect(() => registry.histogram({ name: 'breakwater_x', help: 'h', labels: ['le'] })).toThrow(invalid)
    expect(() => registry.histogram({ name: 'breakwater_x', help: 'h', buckets: [2, 1] })).toThrow(invalid)
    expect(() => registry.histogram({ name: 'breakwater_x', help: 'h', buckets: [] })).toThrow(invalid)
    expect(() => new MetricsRegistry({ maxSeries: 0.5 })).toThrow(invalid)
  })

  test('is refused under a name that is taken, and with the wrong number of label values', () => {
    const registry = new MetricsRegistry()
    const hits = registry.counter({ name: 'breakwater_hits_total', help: 'h', labels: ['route'] })
    expect(() => registry.counter({ name: 'breakwater_hits_total', help: 'h' })).toThrow(invalid)
    expect(() => hits.labels('a', 'b')).toThrow(invalid)
  })
})

describe('collecting', () => {
  test('reads live state just before the exposition, until it is called off', () => {
    const registry = new MetricsRegistry()
    const depth = registry.gauge({ name: 'breakwater_queue_depth', help: 'h' }).labels()
    let queue = 3
    const stop = registry.onCollect(() => depth.set(queue))
    expect(registry.expose()).toContain('breakwater_queue_depth 3\n')
    queue = 9
    stop()
    expect(registry.expose()).toContain('breakwater_queue_depth 3\n')
  })

  test('shows all other metrics when one collector throws, and counts the failure', () => {
    const registry = new MetricsRegistry()
    registry.onCollect(() => {
      throw new Error('broken')
    })
    expect(registry.expose()).toContain('breakwater_metrics_collect_failures_total 1\n')
  })
})
