// OPA's wasm. The program `opa` turns Rego into wasm; npm does not bring it, so without it on the PATH this engine is left out.
import { execFileSync } from 'node:child_process'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpaPolicy } from '../lib/opa-wasm.ts'
import { which } from '../lib/process.ts'
import type { Subject } from './measure.ts'
import { subjectOf } from './engines.ts'
import { ancestorsOf, flat, type Name, type Question, type Scenario, type World } from './world.ts'

/** Where the program is; undefined on a machine without it. */
const opaProgram: string | undefined = which('opa')

/** The policies of a scenario and others, as wasm. */
export interface CompiledRego {
  readonly wasm: WebAssembly.Module
  /** Milliseconds of `opa build` and of compiling its wasm to machine code. */
  readonly buildMs: number
  readonly others: number
}

/** Undefined without the program. */
export function compileRego(scenario: Scenario, others: number): CompiledRego | undefined {
  if (opaProgram === undefined) return undefined
  using folder = mkdtempDisposableSync(join(tmpdir(), 'breakwater-bench-opa-'))
  const [policy, bundle] = [join(folder.path, 'bench.rego'), join(folder.path, 'bundle.tar.gz')]
  writeFileSync(policy, regoOf(scenario, others))
  const startedAt = performance.now()
  execFileSync(opaProgram, ['build', '-t', 'wasm', '-e', 'bench/allow', '-o', bundle, policy])
  const bytes = execFileSync('tar', ['-xzOf', bundle, '/policy.wasm'], {
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const wasm = new WebAssembly.Module(new Uint8Array(bytes))
  return { wasm, buildMs: performance.now() - startedAt, others }
}

/** What the tables say of this engine. */
export function opaNote(): string {
  if (opaProgram === undefined) {
    return 'OPA’s wasm was skipped: there was no `opa` program, which turns Rego into wasm. Put one on the PATH (https://www.openpolicyagent.org/docs#running-opa, or `go install github.com/open-policy-agent/opa@latest`) and run again.'
  }
  const version = /^Version: (.*)$/m.exec(execFileSync(opaProgram, ['version']).toString())?.[1] ?? ''
  return `OPA ${version}: Rego of ours with a rule for each policy, built by \`opa build -t wasm\` without its optimiser (which takes data that are loaded later for absent), asked by \`opa_eval\`. Entities are loaded before, what is above each of them worked out by the application, and questions are JSON text, encoded before. It answers yes or no, without reasons.`
}

function regoOf({ rego, other }: Scenario, others: number): string {
  return [
    'package bench',
    'default allow := false',
    'principal := data.entities[input.principal]',
    'resource := data.entities[input.resource]',
    rego,
    ...Array.from({ length: others }, (_, index) => other(index).rego),
  ].join('\n')
}

/** The wasm with the entities loaded and what is above each of them worked out by the application; questions as text, made before. */
export function opa(policies: CompiledRego, world: World, questions: readonly Question[]): Subject {
  const policy = new OpaPolicy(policies.wasm, { entities: entitiesOf(world) })
  const calls = questions.map(({ principal, action, resource }) =>
    Buffer.from(JSON.stringify({ principal: flat(principal), action: action.id, resource: flat(resource) })),
  )
  // With few policies it answers in the time of some readings of the clock.
  return subjectOf(policies.others < 500 ? 16 : 1, calls, (input) => policy.isTrue(input))
}

function entitiesOf({ entities }: World): Record<string, unknown> {
  return Object.fromEntries(
    entities.map(({ uid, attrs = {} }) => {
      const { type, id } = uid as Name
      const above = ancestorsOf(entities, { type, id }).map((one) => [one, true])
      const plain = Object.entries(attrs).map(([name, value]) => [
        name,
        typeof value === 'object' && '__entity' in value ? flat(value['__entity'] as object as Name) : value,
      ])
      return [flat({ type, id }), { type, within: Object.fromEntries(above), ...Object.fromEntries(plain) }]
    }),
  )
}
