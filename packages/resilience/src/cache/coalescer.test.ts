import { describe, expect, test } from 'vitest'
import { Coalescer } from './coalescer.ts'
import type { FlightMember } from './coalescer.ts'

class Member implements FlightMember<string> {
  readonly heard: string[] = []
  onValue(value: string): void {
    this.heard.push(`value ${value}`)
  }
  onError(error: unknown): void {
    this.heard.push(`error ${String(error)}`)
  }
  onLead(): void {
    this.heard.push('lead')
  }
}

const three = (): [Member, Member, Member] => [new Member(), new Member(), new Member()]

describe('Coalescer', () => {
  test('lets one do the work for all', () => {
    const coalescer = new Coalescer<string>()
    const members = three()
    expect(members.map((member) => coalescer.join('k', member))).toEqual(['leads', 'follows', 'follows'])
    coalescer.succeed('k', 'v')
    expect(members.map(({ heard }) => heard)).toEqual([['value v'], ['value v'], ['value v']])
    expect([coalescer.shared, coalescer.flights]).toEqual([2, 0])
    expect(coalescer.join('k', new Member())).toBe('leads')
  })

  test('ends the work only when the last member leaves, also when the leader leaves first', () => {
    const coalescer = new Coalescer<string>()
    const [leader, second, third] = three()
    for (const member of [leader, second, third]) coalescer.join('k', member)
    expect(coalescer.leave('k', leader)).toBe('others')
    expect(coalescer.leave('k', leader)).toBe('unknown')
    expect(coalescer.leave('k', second)).toBe('others')
    expect(coalescer.leave('k', third)).toBe('last')
    expect(coalescer.flights).toBe(0)
  })

  test('shares a failure that concerns everyone', () => {
    const coalescer = new Coalescer<string>()
    const [leader, second] = three()
    coalescer.join('k', leader)
    coalescer.join('k', second)
    coalescer.fail('k', leader, 'down', true)
    expect([leader.heard, second.heard]).toEqual([['error down'], ['error down']])
  })

  test('hands the lead to one follower, not to all, when the leader fails for a reason of its own', () => {
    const coalescer = new Coalescer<string>()
    const [leader, second, third] = three()
    for (const member of [leader, second, third]) coalescer.join('k', member)
    coalescer.fail('k', leader, 'mine', false)
    expect([leader.heard, second.heard, third.heard]).toEqual([['error mine'], ['lead'], []])
    coalescer.fail('k', second, 'again', false)
    expect([second.heard, third.heard]).toEqual([['lead', 'error again'], ['error again']])
    expect(coalescer.flights).toBe(0)
  })

  test('bounds flights and members: who finds no room works alone', () => {
    const coalescer = new Coalescer<string>({ maxFlights: 1, maxMembers: 2 })
    expect(coalescer.join('a', new Member())).toBe('leads')
    expect(coalescer.join('a', new Member())).toBe('follows')
    expect(coalescer.join('a', new Member())).toBe('alone')
    expect(coalescer.join('b', new Member())).toBe('alone')
  })

  test('takes an answer nobody waits for', () => {
    const coalescer = new Coalescer<string>()
    coalescer.succeed('k', 'v')
    coalescer.fail('k', new Member(), 'x', true)
    expect(coalescer.flights).toBe(0)
  })
})
