/**
 * One decision as the number of policies grows: `node --conditions=source packages/authz/bench/decide.ts [policies,…]`.
 * Every size answers the same requests by the same satisfied policies; only the policies about others grow in number.
 */
import { Authorizer, type EntityInput } from '../src/index.ts'

const SIZES = (process.argv[2] ?? '10,100,1000,10000').split(',').map(Number)
const ROUNDS = 600
const PEOPLE = 50
const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })

function policiesOf(size: number): string {
  const mine = [
    'permit (principal in Team::"core", action in [Action::"view", Action::"edit"], resource in Folder::"shared") when { context.mfa && principal.level > 3 };',
    'permit (principal, action == Action::"view", resource) when { resource.owner == principal };',
    'forbid (principal, action, resource in Folder::"shared") unless { principal.level > 2 };',
    'forbid (principal, action, resource) when { resource.name like "secret*" && !principal.admin };',
  ]
  const others = Array.from({ length: Math.max(0, size - mine.length) }, (_, index) =>
    index % 2 === 0
      ? `permit (principal in Team::"team${index}", action == Action::"view", resource in Folder::"folder${index}") when { context.mfa };`
      : `permit (principal == User::"other${index}", action, resource) when { resource.owner == principal };`,
  )
  return [...mine, ...others].join('\n')
}

const entities: EntityInput[] = [
  { uid: uid('Folder', 'shared'), parents: [uid('Folder', 'root')] },
  { uid: uid('Folder', 'root') },
  { uid: uid('Team', 'core'), parents: [uid('Team', 'all')] },
  ...Array.from({ length: PEOPLE }, (_, index): EntityInput[] => [
    {
      uid: uid('User', `u${index}`),
      attrs: { level: 2 + (index % 5), admin: false },
      parents: [uid('Team', 'core'), uid('Team', `team${index}`)],
    },
    {
      uid: uid('Doc', `d${index}`),
      attrs: { name: `report ${index}`, owner: { __entity: uid('User', `u${index}`) } },
      parents: [uid('Folder', 'shared')],
    },
  ]).flat(),
]
const requests = Array.from({ length: 250 }, (_, index) => ({
  principal: uid('User', `u${index % PEOPLE}`),
  action: uid('Action', 'view'),
  resource: uid('Doc', `d${(index * 7) % PEOPLE}`),
  context: { mfa: index % 3 > 0 },
}))

/** Nanoseconds a decision at p50 and p99, over rounds of all requests. */
function measure(decideAll: () => void): { p50: string; p99: string } {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = process.hrtime.bigint()
    decideAll()
    rounds.push(Number(process.hrtime.bigint() - startedAt) / requests.length)
  }
  const sorted = rounds.slice(ROUNDS / 3).sort((a, b) => a - b)
  const at = (ratio: number): string => `${Math.round(sorted[Math.floor(sorted.length * ratio)] ?? 0)} ns`
  return { p50: at(0.5), p99: at(0.99) }
}

for (const size of SIZES) {
  const startedAt = performance.now()
  const authorizer = new Authorizer({ policies: policiesOf(size), entities })
  const compileMs = Math.round(performance.now() - startedAt)
  const prepared = requests.map((request) => authorizer.prepare(request))
  let allowed = 0
  const interned = measure(() => {
    for (const request of prepared) if (authorizer.decide(request).decision === 'allow') allowed += 1
  })
  const parsing = measure(() => {
    for (const request of requests) if (authorizer.decide(request).decision === 'allow') allowed += 1
  })
  console.log(JSON.stringify({ policies: size, interned, parsing, compileMs, allowed }))
}
