import type { MechanismMetric } from './mechanisms.ts'

const counted = (event: string, name: string, help: string, labels: readonly string[]): MechanismMetric => ({
  channel: 'breakwater.resilience',
  event,
  kind: 'counter',
  name,
  help,
  labels,
})

/** What `@breakwater/resilience` publishes about its decisions, as counters. Pass it to `subscribeToMechanisms`. */
export const resilienceMetrics: readonly MechanismMetric[] = [
  counted(
    'breaker.transition',
    'breakwater_resilience_breaker_transitions_total',
    'Changes of state of circuit breakers.',
    ['key', 'from', 'to'],
  ),
  counted('retry.scheduled', 'breakwater_resilience_retries_scheduled_total', 'Tries that were sent again.', [
    'key',
  ]),
  counted(
    'retry.suppressed',
    'breakwater_resilience_retries_suppressed_total',
    'Tries that were not sent again, by reason.',
    ['key', 'reason'],
  ),
  counted(
    'hedge.started',
    'breakwater_resilience_hedges_started_total',
    'Second tries sent before the first had failed.',
    ['key'],
  ),
  counted(
    'hedge.suppressed',
    'breakwater_resilience_hedges_suppressed_total',
    'Hedges that were not sent, by reason.',
    ['key', 'reason'],
  ),
  counted('hedge.won', 'breakwater_resilience_hedges_won_total', 'Hedges that answered first.', ['key']),
  counted('fallback.served', 'breakwater_resilience_fallbacks_served_total', 'Answers given by a fallback.', [
    'key',
  ]),
  counted('timeout.exceeded', 'breakwater_resilience_timeouts_exceeded_total', 'Calls that were given up.', [
    'key',
  ]),
  counted(
    'timeout.late',
    'breakwater_resilience_timeouts_late_total',
    'Answers that came after they had been given up.',
    ['key'],
  ),
  counted(
    'dark.would-refuse',
    'breakwater_resilience_dark_refusals_total',
    'Calls that a control in dark mode would have refused.',
    ['key', 'control'],
  ),
]
