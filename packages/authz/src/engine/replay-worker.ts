import { parentPort, workerData } from 'node:worker_threads'
import { OfficialSet, type OfficialRequest, type PolicySet, type Schema } from './official.ts'
import { parseExact } from './exact-json.ts'

/** One question of the replayer. `text` is the request in the official JSON format, integers exact. */
export interface ReplayQuestion {
  readonly id: number
  readonly text: string
}

export interface ReplayAnswer {
  readonly id: number
  readonly verdict?: ReturnType<OfficialSet['decide']>
  readonly failure?: string
}

const { policies, schema } = workerData as {
  readonly policies: PolicySet
  readonly schema: Schema | undefined
}
const set = new OfficialSet(policies, schema)

parentPort?.on('message', ({ id, text }: ReplayQuestion) => {
  let answer: ReplayAnswer
  try {
    answer = { id, verdict: set.decide(parseExact(text) as OfficialRequest) }
  } catch (error) {
    answer = { id, failure: error instanceof Error ? error.message : 'unknown' }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(answer)
})
