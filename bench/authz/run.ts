// One decision of the compiled engine beside cedar-wasm, casbin, CASL and OPA’s wasm, on the scenario shapes of the Cedar paper.
import { Authorizer, type EntityInput } from '@breakwater/authz'
import { createRandom } from '@breakwater/core'
import { createMongoAbility } from '@casl/ability'
import * as cedarEngine from '@cedar-policy/cedar-wasm/nodejs'
import { conditions, writeResult } from '../lib/report.ts'
import { casbin, casl, cedarWasm, interned, loadCasbin, parsing } from './engines.ts'
import { gdrive } from './gdrive.ts'
import { github } from './github.ts'
import { timeInterleaved, timeOnce, type Subject, type Timing } from './measure.ts'
import { compileRego, opa, opaNote, type CompiledRego } from './opa.ts'
import { tinytodo } from './tinytodo.ts'
import type { Name, Question, Scenario, World } from './world.ts'

const SCENARIOS = [gdrive, github, tinytodo]
const POLICIES = [10, 100, 1_000, 10_000]
const ENTITIES = [5, 20, 50]

const NOTES = [
  'Scenario shapes of the Cedar paper (OOPSLA 2024) by generators of our own; `entities` is the number of each kind. Policies beyond the application’s own are grants and shares of others.',
  'Times in ns, all engines in turn on one thread; p50 is the least of the slots’ medians (the machine is shared). p99 is of decisions timed one by one, clock reading included, which adds some tens of ns. Slow engines get fewer slots, where they make fewer than 40 calls all of them count together: what else the machine does can add to their figures, by up to a factor of two. `interned`: request looked up before; `parsing`: names as text. Bytes: JavaScript heap.',
  'cedar-wasm: `statefulIsAuthorized` with policies parsed before and only the entities the question reaches. casbin: `enforceSync`, grants as lines. CASL: rules of that one user picked by the application before, so policies about others are not in it; it gives no reasons.',
  'Before a cell is timed, all engines have given the same decisions to all its 200 questions (from 1,000 policies on, to 20 of them); `allowed` is their share of allows.',
  opaNote(),
]

type Row = Record<string, string | number>

interface Cell {
  readonly row: Row
  readonly loading: Row
}

/** One set of policies in the engines that keep it apart from the data. */
interface Loaded {
  readonly policies: number
  readonly others: number
  readonly authorizer: Authorizer
  readonly policySet: string
  readonly compileMs: number
  readonly cedarMs: number
  /** Undefined where nothing can compile it. */
  readonly rego: CompiledRego | undefined
}

export async function benchAuthz(rounds: number): Promise<void> {
  console.log(opaNote())
  const cells: Cell[] = []
  for (const scenario of SCENARIOS) {
    const sets = POLICIES.map((policies) => loadPolicies(scenario, policies))
    for (const size of ENTITIES) cells.push(...(await benchWorld(scenario, sets, size, rounds)))
  }
  const rows = cells.map(({ row }) => row)
  const growth = growthRows(rows)
  const loading = cells.map((cell) => cell.loading)
  for (const table of [rows, growth, loading]) console.table(table)
  writeResult('authz', { conditions: conditions(), rounds, notes: NOTES, rows, growth, loading })
}

function loadPolicies(scenario: Scenario, policies: number): Loaded {
  const others = policies - (scenario.policies.match(/^ *permit/gm)?.length ?? 0)
  const more = Array.from({ length: others }, (_, index) => scenario.other(index).cedar)
  const text = [scenario.policies, ...more].join('\n')
  const startedAt = performance.now()
  const authorizer = new Authorizer({ policies: text })
  const compileMs = performance.now() - startedAt
  if (authorizer.engine.kind !== 'compiled') throw new Error('the policies did not compile')
  const policySet = `bench-${scenario.name}-${policies}`
  const cedarStartedAt = performance.now()
  const answer = cedarEngine.preparsePolicySet(policySet, { staticPolicies: text })
  if (answer.type === 'failure') throw new Error('cedar-wasm refuses the policies')
  const cedarMs = performance.now() - cedarStartedAt
  return { policies, others, authorizer, policySet, compileMs, cedarMs, rego: compileRego(scenario, others) }
}

/** All engines with all numbers of policies in one interleaved run on one drawing of the data. */
async function benchWorld(
  scenario: Scenario,
  sets: readonly Loaded[],
  size: number,
  rounds: number,
): Promise<Cell[]> {
  const world = scenario.world(size, createRandom(size))
  const { questions } = world
  const cells: {
    readonly subjects: readonly Subject[]
    readonly loading: Cell['loading']
    readonly allowed: string
  }[] = []
  for (const { policies, others, authorizer, policySet, compileMs, cedarMs, rego } of sets) {
    const loadMs = timeOnce(1, () => authorizer.store.apply({ upsert: world.entities })) / 1e6
    const casbinStartedAt = performance.now()
    const enforcer = await loadCasbin(scenario, world, others)
    const casbinMs = performance.now() - casbinStartedAt
    const subjects = [
      interned(authorizer, questions),
      parsing(authorizer, questions),
      cedarWasm(policySet, world, questions),
      casbin(enforcer, questions),
      casl(world, questions),
      ...(rego === undefined ? [] : [opa(rego, world, questions)]),
    ]
    const allowed = requireAgreement(subjects, policies > 100 ? 20 : questions.length)
    const loading = {
      scenario: scenario.name,
      entities: size,
      'entities stored': authorizer.store.size,
      policies,
      'compile ms': compileMs,
      'cedar-wasm parse ms': cedarMs,
      'load all entities ms': loadMs,
      'update one membership µs': updateUs(authorizer, world),
      'casbin load ms': casbinMs,
      'CASL ability of one user µs': abilityUs(world),
      ...(rego !== undefined && { 'OPA build ms': rego.buildMs }),
    }
    cells.push({ subjects, loading, allowed })
  }
  const timings = timeInterleaved(
    cells.flatMap(({ subjects }) => subjects),
    rounds,
  )
  for (const { authorizer } of sets) authorizer.store.apply({ remove: world.entities.map(({ uid }) => uid) })
  return cells.map(({ subjects, loading, allowed }, index) => {
    const own = timings.slice(index * subjects.length, (index + 1) * subjects.length)
    const policies = sets[index]?.policies ?? 0
    return {
      loading,
      row: { scenario: scenario.name, entities: size, policies, allowed, ...rowOf(own) },
    }
  })
}

function rowOf(timings: readonly Timing[]): Record<string, number> {
  const [ours, withParsing, cedar, lines, rules, rego] = timings
  if (!ours || !withParsing || !cedar || !lines || !rules) throw new Error('a timing is missing')
  return {
    'interned p50': Math.round(ours.p50),
    'interned p99': Math.round(ours.p99),
    'interned bytes': Math.round(ours.bytes),
    'parsing p50': Math.round(withParsing.p50),
    'parsing p99': Math.round(withParsing.p99),
    'parsing bytes': Math.round(withParsing.bytes),
    'cedar-wasm p50': Math.round(cedar.p50),
    'cedar-wasm ÷ interned': Math.round(cedar.p50 / ours.p50),
    'cedar-wasm ÷ parsing': Math.round(cedar.p50 / withParsing.p50),
    'casbin p50': Math.round(lines.p50),
    'casbin ÷ interned': Math.round(lines.p50 / ours.p50),
    'CASL p50': Math.round(rules.p50),
    'CASL ÷ interned': rules.p50 / ours.p50,
    ...(rego !== undefined && {
      'OPA wasm p50': Math.round(rego.p50),
      'OPA wasm ÷ interned': Math.round(rego.p50 / ours.p50),
    }),
  }
}

/** Every engine must give the same answers before any is timed. Returns the share of allows. */
function requireAgreement(subjects: readonly Subject[], questions: number): string {
  let allows = 0
  for (let index = 0; index < questions; index += 1) {
    const answers = new Set(subjects.map((subject) => subject.run(index, 1)))
    if (answers.size !== 1) {
      throw new Error(`question ${index}: ${subjects.map((one) => one.run(index, 1)).join(' ')}`)
    }
    allows += subjects[0]?.run(index, 1) ?? 0
  }
  return `${Math.round((100 * allows) / questions)} %`
}

/** Takes a user out of a group and puts it back, in turn. */
function updateUs(authorizer: Authorizer, world: World): number {
  const user = world.entities.find(({ uid }) => (uid as Name).type === 'User') as EntityInput
  const { parents = [], ...rest } = user
  const group = { type: 'Team', id: 'update' }
  const states: EntityInput[] = [user, { ...rest, parents: [...parents, group] }]
  return timeOnce(401, (round) => authorizer.store.apply({ upsert: [states[round % 2] ?? user] })) / 1e3
}

function abilityUs(world: World): number {
  const { principal } = world.questions[0] as Question
  const rules = world.rulesOf(principal.id)
  return timeOnce(101, () => createMongoAbility(rules).can('none', 'none')) / 1e3
}

/** The p50 at the greatest number of policies over that at the least, by scenario and number of entities. */
function growthRows(rows: readonly Row[]): Row[] {
  return SCENARIOS.flatMap(({ name }) =>
    ENTITIES.map((entities) => {
      const p50 = (policies: number | undefined, column: string): number =>
        Number(
          rows.find(
            (row) => row['scenario'] === name && row['entities'] === entities && row['policies'] === policies,
          )?.[column],
        )
      const growth = (column: string): number => p50(POLICIES.at(-1), column) / p50(POLICIES[0], column)
      return {
        scenario: name,
        entities,
        'interned: 10,000 policies ÷ 10': growth('interned p50'),
        'parsing: 10,000 policies ÷ 10': growth('parsing p50'),
        'cedar-wasm: 10,000 ÷ 10': growth('cedar-wasm p50'),
        'casbin: 10,000 ÷ 10': growth('casbin p50'),
        ...('OPA wasm p50' in (rows[0] ?? {}) && { 'OPA wasm: 10,000 ÷ 10': growth('OPA wasm p50') }),
      }
    }),
  )
}
