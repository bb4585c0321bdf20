import { parseArgs } from 'node:util'
import { runCampaign } from './support/campaign.ts'

/**
 * The long differential run against llhttp:
 * `node --conditions=source packages/http/test/fuzz.ts --inputs 1000000 --seed 1`.
 * Exits with 1 when there is an input that we accept and llhttp refuses or frames differently.
 */
const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const inputs = Number(values.inputs)
const seed = Number(values.seed)
const BATCH = 50_000
const started = performance.now()
const total = { accepted: 0, rejected: 0, messages: 0, disagreements: 0 }
for (let first = 0; first < inputs; first += BATCH) {
  const tally = runCampaign(Math.min(BATCH, inputs - first), seed, first)
  total.accepted += tally.accepted
  total.rejected += tally.rejected
  total.messages += tally.messages
  for (const found of tally.disagreements)
    if (total.disagreements++ < 20) console.log(`${JSON.stringify(found)}\n`)
}
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(
  `inputs ${inputs}, seed ${seed}, llhttp ${process.versions['llhttp']}: accepted ${total.accepted} (${total.messages} messages), rejected ${total.rejected}, disagreements ${total.disagreements}, ${seconds} s`,
)
process.exitCode = total.disagreements > 0 ? 1 : 0
