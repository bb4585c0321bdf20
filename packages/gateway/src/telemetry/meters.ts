import type { Counter, Gauge, Histogram, MetricFamily, MetricsRegistry } from '@breakwater/telemetry'

/** The handles of one route, resolved when the route is compiled: counting a request is a few array writes. */
export interface RouteMeters {
  /** By class of status: index 1 to 5; 0 is a client that went away. */
  readonly requests: readonly Counter[]
  readonly durationSeconds: Histogram
  readonly inFlight: Gauge
  readonly attempts: Counter
  readonly retries: Counter
  readonly hedges: Counter
  readonly hedgesWon: Counter
  readonly rateLimited: Counter
  /** Refused by authorization, or, in dark mode, what would have been. */
  readonly denied: Counter
  readonly deadlineMalformed: Counter
  readonly deadlineExpired: Counter
  readonly degraded: Counter
  readonly coalesced: Counter
  readonly replayed: Counter
  /** Retries that the policy wanted and something forbade, by reason. */
  readonly suppressed: MetricFamily<Counter>
  /** Rows that were left out of answers, by reason. */
  readonly withheldRows: MetricFamily<Counter>
  readonly route: string
}

const CLASSES = ['gone', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** The gateway's metrics. Names and labels are public: dashboards stand on them. */
export class GatewayMeters {
  /** Messages that the engine refused before there was a route, by code. */
  readonly refused: MetricFamily<Counter>
  /** Requests that no route answers. */
  readonly unrouted: Counter
  readonly #requests: MetricFamily<Counter>
  readonly #duration: MetricFamily<Histogram>
  readonly #inFlight: MetricFamily<Gauge>
  readonly #events: MetricFamily<Counter>
  readonly #suppressed: MetricFamily<Counter>
  readonly #withheldRows: MetricFamily<Counter>

  constructor(registry: MetricsRegistry) {
    this.refused = registry.counter({
      name: 'breakwater_refused_messages_total',
      help: 'Requests that broke a rule of HTTP or a limit of the listener, by error code.',
      labels: ['code'],
    })
    this.unrouted = registry
      .counter({ name: 'breakwater_unrouted_requests_total', help: 'Requests that no route answers.' })
      .labels()
    this.#requests = registry.counter({
      name: 'breakwater_requests_total',
      help: 'Finished requests, by route and class of status.',
      labels: ['route', 'class'],
    })
    this.#duration = registry.histogram({
      name: 'breakwater_request_duration_seconds',
      help: 'From the head of the request to the end of the answer.',
      labels: ['route'],
    })
    this.#inFlight = registry.gauge({
      name: 'breakwater_requests_in_flight',
      help: 'Requests that are being answered.',
      labels: ['route'],
    })
    this.#events = registry.counter({
      name: 'breakwater_route_events_total',
      help: 'What the controls of a route did.',
      labels: ['route', 'event'],
    })
    this.#suppressed = registry.counter({
      name: 'breakwater_retries_suppressed_total',
      help: 'Retries that did not happen, by reason.',
      labels: ['route', 'reason'],
    })
    this.#withheldRows = registry.counter({
      name: 'breakwater_rows_withheld_total',
      help: 'Rows that were left out of answers, by reason: denied, or unreadable.',
      labels: ['route', 'reason'],
    })
  }

  route(route: string): RouteMeters {
    const event = (name: string): Counter => this.#events.labels(route, name)
    return {
      route,
      requests: CLASSES.map((name) => this.#requests.labels(route, name)),
      durationSeconds: this.#duration.labels(route),
      inFlight: this.#inFlight.labels(route),
      attempts: event('attempt'),
      retries: event('retry'),
      hedges: event('hedge'),
      hedgesWon: event('hedge-won'),
      rateLimited: event('rate-limited'),
      denied: event('denied'),
      deadlineMalformed: event('deadline-malformed'),
      deadlineExpired: event('deadline-expired'),
      degraded: event('degraded'),
      coalesced: event('coalesced'),
      replayed: event('replayed'),
      suppressed: this.#suppressed,
      withheldRows: this.#withheldRows,
    }
  }
}
