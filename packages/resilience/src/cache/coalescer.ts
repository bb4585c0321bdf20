import { OptionCheck } from '../internal/option-check.ts'

export interface CoalescerOptions {
  /** Keys in flight at the most; further ones run by themselves. Whole number, 1 or more. Default 1024. */
  readonly maxFlights?: number
  /** Members of one flight at the most; further ones run by themselves. Whole number, 1 or more. Default 1024. */
  readonly maxMembers?: number
  /** How often a flight may be started again because its leader failed for a reason of its own. Whole number. Default 1. */
  readonly maxHandovers?: number
}

/** One caller in a flight. */
export interface FlightMember<Value> {
  /** The shared answer is there. */
  onValue(value: Value): void
  /** The shared work failed in a way that concerns everyone. */
  onError(error: unknown): void
  /** The leader failed for a reason of its own: this member leads now, and must do the work and `settle`. */
  onLead(): void
}

interface Flight<Value> {
  readonly members: Set<FlightMember<Value>>
  handovers: number
}

/**
 * Joins callers who want the same thing at the same time: the first does the work, the others wait for its answer.
 *
 * - The work belongs to the flight, not to the leader: a leader who goes away does not end it while others wait. Only
 *   when the *last* member leaves is it to be called off.
 * - A failure is shared when it says something about the upstream. When it concerns the leader alone, one follower
 *   takes the lead, as often as `maxHandovers` allows: one at a time, never all at once.
 * - Full tables do not refuse: who finds no room works alone.
 *
 * Only join what is safe to share: reads, with everything the answer depends on in the key.
 *
 * @throws `BW_RESILIENCE_OPTIONS_INVALID`
 */
export class Coalescer<Value> {
  readonly #maxFlights: number
  readonly #maxMembers: number
  readonly #maxHandovers: number
  readonly #flights = new Map<string, Flight<Value>>()
  /** Callers served by somebody else's work. */
  shared = 0

  constructor(options: CoalescerOptions = {}) {
    const { maxFlights = 1024, maxMembers = 1024, maxHandovers = 1 } = options
    new OptionCheck('coalescing')
      .whole('maxFlights', maxFlights, 1)
      .whole('maxMembers', maxMembers, 1)
      .whole('maxHandovers', maxHandovers, 0)
      .done()
    this.#maxFlights = maxFlights
    this.#maxMembers = maxMembers
    this.#maxHandovers = maxHandovers
  }

  /** Keys in flight. */
  get flights(): number {
    return this.#flights.size
  }

  /** `leads`: do the work, then `settle`. `follows`: wait to be told. `alone`: there is no room, do the work unshared. */
  join(key: string, member: FlightMember<Value>): 'leads' | 'follows' | 'alone' {
    const flight = this.#flights.get(key)
    if (flight !== undefined) {
      if (flight.members.size >= this.#maxMembers) return 'alone'
      flight.members.add(member)
      return 'follows'
    }
    if (this.#flights.size >= this.#maxFlights) return 'alone'
    this.#flights.set(key, { members: new Set([member]), handovers: 0 })
    return 'leads'
  }

  /** A member has gone away. `last`: nobody waits any more, call the work off. */
  leave(key: string, member: FlightMember<Value>): 'last' | 'others' | 'unknown' {
    const flight = this.#flights.get(key)
    if (flight === undefined || !flight.members.delete(member)) return 'unknown'
    if (flight.members.size > 0) return 'others'
    this.#flights.delete(key)
    return 'last'
  }

  /** The work of `key` is done: everyone still there gets `value`. */
  succeed(key: string, value: Value): void {
    const flight = this.#take(key)
    if (flight === undefined) return
    this.shared += flight.members.size - 1
    for (const member of flight.members) member.onValue(value)
  }

  /**
   * The work of `key` failed. `leader` is whose failure it was: with `concernsAll` false it alone is told, and one of
   * the others leads.
   */
  fail(key: string, leader: FlightMember<Value>, error: unknown, concernsAll: boolean): void {
    const flight = this.#flights.get(key)
    if (flight === undefined) return
    if (!concernsAll && flight.handovers < this.#maxHandovers) {
      if (flight.members.delete(leader)) leader.onError(error)
      for (const heir of flight.members) {
        flight.handovers++
        heir.onLead()
        return
      }
    }
    this.#take(key)
    for (const member of flight.members) member.onError(error)
  }

  #take(key: string): Flight<Value> | undefined {
    const flight = this.#flights.get(key)
    this.#flights.delete(key)
    return flight
  }
}
