import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readJson, type JsonObject } from '../src/literals/json-reader.ts'

/** Where the shared cases lie, relative to the repository. */
const FOLDER = join(import.meta.dirname, '../../../../shared/suites/cedar')

export interface SuiteRequest extends JsonObject {
  readonly principal: { readonly type: string; readonly id: string }
  readonly action: { readonly type: string; readonly id: string }
  readonly resource: { readonly type: string; readonly id: string }
  readonly context: JsonObject
  readonly validateRequest: boolean
  readonly decision: 'allow' | 'deny'
  readonly reason: readonly string[]
  readonly errors: readonly string[]
}

export interface SuiteCase {
  readonly id: string
  readonly policies: string
  readonly schema: string | null
  readonly entitiesText: string
  readonly shouldValidate: boolean
  readonly requests: readonly SuiteRequest[]
}

/** Cases of the official integration tests; undefined where they are not on this machine. */
export function suite(name: 'hand-written' | 'corpus-half'): SuiteCase[] | undefined {
  const file = join(FOLDER, `${name}.jsonl.gz`)
  if (!existsSync(file)) return undefined
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  return lines.map((line) => {
    const raw = JSON.parse(line) as Omit<SuiteCase, 'requests' | 'shouldValidate'> & { testText: string }
    const test = readJson(raw.testText) as JsonObject & Pick<SuiteCase, 'requests' | 'shouldValidate'>
    return { ...raw, requests: test.requests, shouldValidate: test.shouldValidate }
  })
}
