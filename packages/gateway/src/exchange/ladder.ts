import type { LadderStep } from '@breakwater/contract'
import type { Upstream } from '../upstream/upstream.ts'
import type { StoredAnswer } from './capture.ts'
import type { Exchange } from './exchange.ts'
import { answerScopeOf, sharedKey } from './shared-key.ts'

/** A way to answer in a lesser form that can be taken now. */
export type Degradation =
  | { readonly kind: 'stored'; readonly answer: StoredAnswer; readonly parts: readonly string[] }
  | { readonly kind: 'upstream'; readonly upstream: Upstream; readonly parts: readonly string[] }

/** `staleIfError` without a ladder is a ladder of one step. */
const STALE_ONLY: readonly { readonly step: LadderStep; readonly upstream: undefined }[] = [
  { step: { serve: 'stale', parts: [] }, upstream: undefined },
]

/** The first step, from where this request stands, that can be taken; undefined when the ladder is at its end. */
export function nextStep(exchange: Exchange, nowMs: number): Degradation | undefined {
  const { ladder, stale } = exchange.plan
  const steps = ladder?.steps ?? (stale === undefined ? [] : STALE_ONLY)
  while (exchange.ladderStep < steps.length) {
    const rung = steps[exchange.ladderStep++]
    const found = rung === undefined ? undefined : tryStep(exchange, rung.step, rung.upstream, nowMs)
    if (found === undefined) continue
    exchange.plan.meters.degraded.inc()
    const isDark = ladder === undefined ? stale?.isDark === true : ladder.isDark
    return isDark ? undefined : found
  }
  return undefined
}

/** Takes a step: answers, or asks the other upstream. */
export function takeStep(exchange: Exchange, step: Degradation, nowMs: number): void {
  exchange.answering.degraded = step.parts
  if (step.kind === 'stored') return exchange.answering.stored(step.answer, nowMs)
  exchange.attempts.turnTo(step.upstream)
  exchange.attempts.ask(nowMs)
}

function tryStep(
  exchange: Exchange,
  step: LadderStep,
  upstream: Upstream | undefined,
  nowMs: number,
): Degradation | undefined {
  switch (step.serve) {
    case 'static': {
      const answer = {
        status: step.status,
        fields: ['content-type', step.contentType, 'cache-control', 'no-store'],
        body: Buffer.from(step.body),
      }
      return { kind: 'stored', answer, parts: named(step.parts, 'static') }
    }
    case 'stale': {
      const answer = staleAnswer(exchange, nowMs)
      return answer === undefined ? undefined : { kind: 'stored', answer, parts: named(step.parts, 'stale') }
    }
    case 'upstream': {
      const { request } = exchange.inbound
      const canSend = exchange.body?.isReplayable !== false
      // A write that may have had its effect is not carried out somewhere else as well.
      const isSafe = !exchange.attempts.wasSent || request.method === 'GET' || request.method === 'HEAD'
      if (upstream === undefined || !canSend || !isSafe || nowMs >= exchange.deadlineMs) return undefined
      return { kind: 'upstream', upstream, parts: named(step.parts, upstream.name) }
    }
  }
}

function staleAnswer(exchange: Exchange, nowMs: number): StoredAnswer | undefined {
  const { plan, inbound, path } = exchange
  const { stale } = plan
  if (stale === undefined || inbound.request.method !== 'GET' || exchange.redaction !== undefined)
    return undefined
  const found = stale.cache.get(
    sharedKey(inbound.request, path, answerScopeOf(exchange), stale.varyBy),
    nowMs,
  )
  if (found === undefined) return undefined
  const ageSeconds = Math.max(0, Math.round((nowMs - found.storedMs) / 1000))
  return { ...found.value, fields: [...found.value.fields, 'age', String(ageSeconds)] }
}

function named(parts: readonly string[], fallback: string): readonly string[] {
  return parts.length === 0 ? [fallback] : parts
}
