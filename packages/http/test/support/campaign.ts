import { createRandom } from '@breakwater/core'
import { compareRequests, compareResponses } from './disagreement.ts'
import { Grammar } from './grammar.ts'
import { mutate } from './mutate.ts'
import { splitAt } from './reading.ts'

export interface Disagreement {
  /** Index of the input: `--seed` and this find it again. */
  readonly input: number
  readonly kind: 'requests' | 'responses'
  readonly bytes: string
  readonly what: string
}

/** What a run found. `accepted` + `rejected` = `inputs`; an input cut short counts as rejected. */
export interface Tally {
  inputs: number
  accepted: number
  rejected: number
  /** Messages in all accepted inputs. */
  messages: number
  readonly disagreements: Disagreement[]
}

/**
 * Gives `count` generated inputs to our parsers and to llhttp. Each input depends on the seed and its own index only.
 * Two in three are requests; half of them are broken once more; ours get them whole or in random pieces.
 */
export function runCampaign(count: number, seed: number, firstInput = 0): Tally {
  const tally: Tally = { inputs: 0, accepted: 0, rejected: 0, messages: 0, disagreements: [] }
  for (let input = firstInput; input < firstInput + count; input++) runOne(input, seed, tally)
  return tally
}

function runOne(input: number, seed: number, tally: Tally): void {
  const random = createRandom(Math.imul(seed, 0x85ebca6b) + input)
  const grammar = new Grammar(random)
  const kind = random() < 0.67 ? 'requests' : 'responses'
  const methods = grammar.methods()
  const written = kind === 'requests' ? grammar.requests() : grammar.responses(methods)
  const bytes = random() < 0.5 ? mutate(written, random) : written
  const ratio = random() < 0.5 ? 0 : random() * 0.3
  const cut = (whole: Uint8Array): Uint8Array[] => splitAt(whole, random, ratio)
  const { ours, disagreement } =
    kind === 'requests' ? compareRequests(bytes, cut) : compareResponses(bytes, methods, cut)
  tally.inputs++
  if (ours.refusedWith === undefined) {
    tally.accepted++
    tally.messages += ours.messages.length
  } else tally.rejected++
  if (disagreement !== undefined) tally.disagreements.push({ input, kind, bytes, what: disagreement })
}
