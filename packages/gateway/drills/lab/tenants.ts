import { sendClients } from './clients.ts'
import type { SimWorld } from './world.ts'

/** The header that names the tenant: for `tenant` of a route. */
export const TENANT_HEADER = 'x-tenant-id'

/** When the greedy tenant begins, and when all end. */
const FLOOD_MS = 10_000
const END_MS = 30_000
/** Long enough for the last answers. */
const LAST_ANSWERS_MS = 5000

export interface TenantPlay {
  readonly service: string
  /** How long a client waits. Milliseconds. */
  readonly timeoutMs: number
  /** Tenants that stay within their share, and what they ask together. */
  readonly others: { readonly tenants: number; readonly perSecond: number }
  readonly greedyPerSecond: number
  /** Beginning of the flood that does not count: a control may need some time to see it. Milliseconds. */
  readonly settleMs: number
}

/** What the tenants got. */
export interface TenantScore {
  /** The others, during the flood. */
  readonly goodRatio: number
  readonly p99Ms: number
  /** Good answers a second to the greedy one. */
  readonly greedy: number
  /** The others, before it. */
  readonly before: { readonly goodRatio: number; readonly p99Ms: number }
}

/** Lets tenants live in peace for a while, then one of them flood the service, and moves the clock to the end. */
export async function playGreedyTenant(world: SimWorld, play: TenantPlay): Promise<TenantScore> {
  const { service, timeoutMs, others: within, greedyPerSecond, settleMs } = play
  const clients = { service, timeoutMs, untilMs: END_MS }
  const others = sendClients(world, {
    ...clients,
    name: 'others',
    ask: (random) => ({ fields: { [TENANT_HEADER]: `tenant-${Math.floor(random() * within.tenants)}` } }),
    perSecond: within.perSecond,
    fromMs: 0,
  })
  const greedy = sendClients(world, {
    ...clients,
    name: 'greedy',
    ask: { fields: { [TENANT_HEADER]: 'greedy' } },
    perSecond: greedyPerSecond,
    fromMs: FLOOD_MS,
  })
  await world.run(END_MS + LAST_ANSWERS_MS)
  const before = others.between(0, FLOOD_MS - timeoutMs)
  const during = others.between(FLOOD_MS + settleMs, END_MS)
  return {
    goodRatio: during.goodRatio,
    p99Ms: during.quantileMs(0.99),
    greedy: greedy.goodput(END_MS - FLOOD_MS),
    before: { goodRatio: before.goodRatio, p99Ms: before.quantileMs(0.99) },
  }
}
