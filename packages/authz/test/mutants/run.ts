/**
 * Plants one mistake at a time into a copy of `src` and lets the harness look for it:
 * `node --conditions=source packages/authz/test/mutants/run.ts`. Exits 1 when a mutant survives.
 */
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Authorizer } from '../../src/index.ts'
import { difference, type AuthorizerClass } from '../differential.ts'
import { EDGE_CASES } from '../edge-cases.ts'
import { makeCase, type Case } from '../generate/case.ts'
import { official, type Verdict } from '../oracle.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'
import { VALUE_MUTANTS } from './value-mutants.ts'

const MUTANTS = [...ENGINE_MUTANTS, ...VALUE_MUTANTS]

const GENERATED = 60
const SOURCE = join(import.meta.dirname, '../../src')
/** Inside the repository, so that the copies find their one dependency; ignored by git. */
const SCRATCH = join(import.meta.dirname, '../../../../.breakwater')

interface Answered {
  readonly one: Case
  readonly expected: readonly Verdict[]
}

function answered(): Answered[] {
  const generated = Array.from({ length: GENERATED }, (_, index) => makeCase(index + 1))
  // Small cases first: most mutants meet their end there, in milliseconds.
  const cases = [...EDGE_CASES, ...generated].toSorted((a, b) => a.texts.length - b.texts.length)
  return cases.flatMap((one) => {
    const expected = official(one)
    return expected === undefined ? [] : [{ one, expected }]
  })
}

/** The first difference any case shows. */
function hunt(cases: readonly Answered[], Engine: AuthorizerClass): string | undefined {
  for (const { one, expected } of cases) {
    const found = difference(one, expected, Engine)
    if (found !== undefined) return found
  }
  return undefined
}

async function load(mutant: Mutant, folder: string): Promise<AuthorizerClass> {
  cpSync(SOURCE, folder, { recursive: true })
  const file = join(folder, mutant.file)
  const text = readFileSync(file, 'utf8')
  if (text.split(mutant.find).length !== 2)
    throw new Error(`${mutant.file} does not hold exactly one ${mutant.find}`)
  writeFileSync(
    file,
    text.replace(mutant.find, () => mutant.become),
  )
  const module = (await import(pathToFileURL(join(folder, 'index.ts')).href)) as {
    readonly Authorizer: AuthorizerClass
  }
  return module.Authorizer
}

mkdirSync(SCRATCH, { recursive: true })
const folder = mkdtempSync(join(SCRATCH, 'mutants-'))
const survivors: string[] = []
try {
  const cases = answered()
  const innocent = hunt(cases, Authorizer)
  if (innocent !== undefined) throw new Error(`the engine itself differs: ${innocent}`)
  for (const [index, mutant] of MUTANTS.entries()) {
    const Engine = await load(mutant, join(folder, `${index}`))
    const found = hunt(cases, Engine)
    if (found === undefined) survivors.push(mutant.name)
    else if (process.argv.includes('--verbose'))
      console.log(`killed: ${mutant.name} by ${found.slice(0, 120)}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${MUTANTS.length} mutants, ${MUTANTS.length - survivors.length} killed`)
for (const name of survivors) console.log(`survives: ${name}`)
process.exitCode = survivors.length === 0 ? 0 : 1
