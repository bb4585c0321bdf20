import { describe, expect, test, vi } from 'vitest'
import { Authorizer } from './authorizer.ts'
import { Replayer, type ReplayMismatch } from './replayer.ts'

const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
const REQUEST = {
  principal: uid('User', 'ann'),
  action: uid('Action', 'view'),
  resource: uid('Doc', 'd'),
  context: { n: 9007199254740993n },
}
const POLICIES = 'permit (principal in Team::"red", action, resource) when { context.n == 9007199254740993 };'
const ENTITIES = [{ uid: uid('User', 'ann'), parents: [uid('Team', 'red')] }]

describe('a replayer', () => {
  test('finds the official engine of the same opinion, in a thread, integers exact', async () => {
    const authorizer = new Authorizer({ policies: POLICIES, entities: ENTITIES })
    await using replayer = new Replayer(authorizer, { ratio: 1 })
    expect(replayer.decide(REQUEST).decision).toBe('allow')
    expect(replayer.decide({ ...REQUEST, context: { n: 1 } }).decision).toBe('deny')
    await replayer.settled()
    expect(replayer.counts).toEqual({ compared: 2, mismatches: 0, failures: 0 })
    expect(authorizer.engine.kind).toBe('compiled')
  })

  test('alarms on a mismatch and leaves the set to the official engine from then on', async () => {
    const authorizer = new Authorizer({ policies: POLICIES, entities: ENTITIES })
    const onMismatch = vi.fn<(mismatch: ReplayMismatch) => void>()
    await using replayer = new Replayer(
      authorizer,
      { ratio: 1, onMismatch },
      { ask: () => Promise.resolve({ decision: 'deny', reasons: [], errors: [] }) },
    )
    replayer.decide(REQUEST)
    await replayer.settled()
    expect(onMismatch).toHaveBeenCalledTimes(1)
    expect(authorizer.engine).toEqual({ kind: 'official', because: 'a replayed decision differed' })
    expect(replayer.decide(REQUEST)).toMatchObject({ decision: 'allow', engine: 'official' })
    authorizer.use(authorizer.compile(POLICIES))
    expect(authorizer.engine.kind).toBe('compiled')
  })

  test('replays the share it was told to and never more than it may have waiting', async () => {
    const authorizer = new Authorizer({ policies: POLICIES })
    const rolls = [0.05, 0.5, 0.09, 0.01, 0.9]
    const ask = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('down')))
    await using replayer = new Replayer(
      authorizer,
      { ratio: 0.1, maxPending: 2 },
      { random: () => rolls.shift() ?? 1, ask },
    )
    for (let index = 0; index < 5; index += 1) replayer.decide(REQUEST)
    await replayer.settled()
    expect(ask).toHaveBeenCalledTimes(2)
    expect(replayer.counts).toEqual({ compared: 0, mismatches: 0, failures: 2 })
  })

  test('replays no more in a second than it may, however many decisions there are', async () => {
    const authorizer = new Authorizer({ policies: POLICIES })
    let nowMs = 5000
    let asked = 0
    const ask = (): Promise<never> => {
      asked += 1
      return Promise.reject(new Error('down'))
    }
    const options = { ratio: 1, maxPending: 10_000, maxPerSecond: 10 }
    await using replayer = new Replayer(authorizer, options, { ask, now: () => nowMs })
    for (let at = 0; at < 10_000; at += 1) {
      nowMs += 1
      replayer.decide(REQUEST)
    }
    await replayer.settled()
    expect(asked).toBeGreaterThanOrEqual(100)
    expect(asked).toBeLessThanOrEqual(111)
    expect(() => new Replayer(authorizer, { maxPerSecond: 0 })).toThrow('maxPerSecond')
  })

  test('refuses a share outside 0 to 1', () => {
    const authorizer = new Authorizer({ policies: POLICIES })
    expect(() => new Replayer(authorizer, { ratio: 2 })).toThrow('must be 0 to 1')
  })
})
