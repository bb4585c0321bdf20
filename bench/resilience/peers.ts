import { createRequire } from 'node:module'
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'

interface PeerCase {
  readonly name: string
  readonly peer: string
  run(n: number): Promise<void>
}

/** The part of opossum used here; it ships no types. */
interface OpossumBreaker {
  fire(): Promise<number>
  shutdown(): void
}
const Opossum: new (
  action: () => Promise<number>,
  options: Readonly<Record<string, unknown>>,
) => OpossumBreaker = createRequire(import.meta.url)('opossum')

const plain = async (): Promise<number> => 1

const retrying = retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() })
const consecutive = circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) })
const sampling = (): ReturnType<typeof circuitBreaker> =>
  circuitBreaker(handleAll, {
    halfOpenAfter: 10_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  })
const rated = sampling()
const timed = timeout(1_000, TimeoutStrategy.Cooperative)
const limited = bulkhead(10, 10)
const breakerAndTimeout = wrap(sampling(), timed)
const together = wrap(retrying, sampling(), timed, limited)
const opossum = new Opossum(plain, { timeout: 1_000 })
const opossumBare = new Opossum(plain, { timeout: false, rollingPercentilesEnabled: false })

function peer(name: string, library: string, call: () => Promise<unknown>): PeerCase {
  return {
    name,
    peer: library,
    async run(n) {
      for (let i = 0; i < n; i++) await call()
    },
  }
}

/** What cockatiel and opossum have of our layers, by the same names: neither has a budget, a hedge or a deadline. */
export const cases: PeerCase[] = [
  peer('retry', 'cockatiel', () => retrying.execute(plain)),
  peer('breaker', 'cockatiel, consecutive', () => consecutive.execute(plain)),
  peer('breaker', 'cockatiel, sampling', () => rated.execute(plain)),
  peer('breaker', 'opossum, timeout off', () => opossumBare.fire()),
  peer('timeout', 'cockatiel', () => timed.execute(plain)),
  peer('bulkhead', 'cockatiel', () => limited.execute(plain)),
  peer('breaker and timeout', 'cockatiel', () => breakerAndTimeout.execute(plain)),
  peer('breaker and timeout', 'opossum', () => opossum.fire()),
  peer('retry, breaker, timeout, bulkhead', 'cockatiel', () => together.execute(plain)),
]

/** Ends the timers that opossum keeps. */
export function close(): void {
  opossum.shutdown()
  opossumBare.shutdown()
}
