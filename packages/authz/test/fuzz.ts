/**
 * The long run: `node --conditions=source packages/authz/test/fuzz.ts --cases 200000 --seed 1`. A case is one decision
 * compared with the official engine. Seeds of failures are appended to `test/seeds.txt`; `npm test` replays them for ever.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Authorizer } from '../src/index.ts'
import { difference } from './differential.ts'
import { makeCase } from './generate/case.ts'
import { official } from './oracle.ts'

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } },
})
const wanted = Number(values.cases)
let seed = Number(values.seed)
let compared = 0
let refusedSets = 0
let failures = 0
const counts = new Map<string, number>()
const startedAt = performance.now()
while (compared < wanted && failures < 20) {
  const one = makeCase(seed)
  const expected = official(one)
  if (expected === undefined) refusedSets += 1
  else {
    compared += expected.length
    for (const verdict of expected) {
      const kind = verdict.replaceAll(/\[[^\]]+\]/g, '[…]')
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    const found = difference(one, expected, Authorizer)
    if (found !== undefined) {
      failures += 1
      appendFileSync(join(import.meta.dirname, 'seeds.txt'), `${seed}\n`)
      console.log(found)
    }
  }
  seed += 1
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(
  `${compared} decisions compared in ${seconds} s, ${failures} differ, ${refusedSets} sets refused, next seed ${seed}`,
)
for (const [kind, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`  ${count} ${kind}`)
process.exitCode = failures === 0 ? 0 : 1
