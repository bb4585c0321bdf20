import { channel } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { subscribeToMechanisms } from './mechanisms.ts'
import { MetricsRegistry } from './metrics/registry.ts'
import { resilienceMetrics } from './resilience-metrics.ts'

test('counts what mechanisms publish, by event and label', () => {
  const registry = new MetricsRegistry()
  using _subscriptions = subscribeToMechanisms(registry, resilienceMetrics)
  const events = channel('breakwater.resilience')
  events.publish({ name: 'breaker.transition', key: 'catalog', from: 'closed', to: 'open' })
  events.publish({ name: 'retry.suppressed', key: 'catalog', reason: 'budget', attempt: 2 })
  events.publish({ name: 'retry.suppressed', key: 'catalog', reason: 'budget', attempt: 2 })
  const text = registry.expose()
  expect(text).toContain(
    'breakwater_resilience_breaker_transitions_total{key="catalog",from="closed",to="open"} 1\n',
  )
  expect(text).toContain('breakwater_resilience_retries_suppressed_total{key="catalog",reason="budget"} 2\n')
})

test('reads gauges and histograms from the field that holds the value', () => {
  const registry = new MetricsRegistry()
  using _subscriptions = subscribeToMechanisms(registry, [
    { channel: 'test.depth', kind: 'gauge', name: 'breakwater_depth', help: 'h', labels: [], value: 'depth' },
    {
      channel: 'test.depth',
      kind: 'histogram',
      name: 'breakwater_wait_seconds',
      help: 'h',
      labels: ['who'],
      value: 'wait',
    },
    {
      channel: 'test.depth',
      kind: 'counter',
      name: 'breakwater_bytes_total',
      help: 'h',
      labels: [],
      value: 'bytes',
    },
  ])
  channel('test.depth').publish({ depth: 4, wait: 0.3, bytes: 100 })
  channel('test.depth').publish({ depth: true, wait: 'not a number', bytes: 11 })
  const text = registry.expose()
  expect(text).toContain('breakwater_depth 1\n')
  expect(text).toContain('breakwater_wait_seconds_count{who="none"} 1\n')
  expect(text).toContain('breakwater_bytes_total 111\n')
})

test('does not let a message of the wrong shape reach the publisher as an error', () => {
  const registry = new MetricsRegistry()
  using _subscriptions = subscribeToMechanisms(registry, resilienceMetrics)
  for (const message of [undefined, null, 'text', 7, [], {}])
    channel('breakwater.resilience').publish(message)
  expect(registry.expose()).not.toContain('breakwater_resilience_breaker_transitions_total{')
})

test('costs the publisher nothing any more once it has been disposed of', () => {
  const registry = new MetricsRegistry()
  subscribeToMechanisms(registry, [
    { channel: 'test.gone', kind: 'counter', name: 'breakwater_gone_total', help: 'h', labels: [] },
  ])[Symbol.dispose]()
  expect(channel('test.gone').hasSubscribers).toBe(false)
})

test('refuses a gauge without the field of its value', () => {
  expect(() =>
    subscribeToMechanisms(new MetricsRegistry(), [
      { channel: 'test.bad', kind: 'gauge', name: 'breakwater_bad', help: 'h', labels: [] },
    ]),
  ).toThrow(expect.objectContaining({ code: 'BW_TELEMETRY_METRIC_INVALID' }))
})
