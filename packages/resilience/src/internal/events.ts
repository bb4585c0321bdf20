import { channel } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'

/**
 * Everything worth a line in a log, as past facts. Check `hasSubscribers` before building one: nobody listening must
 * cost nothing.
 */
export type ResilienceEvent =
  | { readonly name: 'breaker.transition'; readonly key: string; readonly from: string; readonly to: string }
  | {
      readonly name: 'retry.suppressed'
      readonly key: string
      readonly reason: string
      readonly attempt: number
    }
  | {
      readonly name: 'retry.scheduled'
      readonly key: string
      readonly attempt: number
      readonly delayMs: number
    }
  | { readonly name: 'hedge.started'; readonly key: string; readonly attempt: number }
  | { readonly name: 'hedge.suppressed'; readonly key: string; readonly reason: string }
  | { readonly name: 'hedge.won'; readonly key: string; readonly attempt: number }
  | { readonly name: 'fallback.served'; readonly key: string }
  | { readonly name: 'timeout.exceeded'; readonly key: string; readonly timeoutMs: number }
  | { readonly name: 'timeout.late'; readonly key: string }
  | { readonly name: 'dark.would-refuse'; readonly key: string; readonly control: string }

/** The channel's name for `node:diagnostics_channel`. */
export const RESILIENCE_CHANNEL = 'breakwater.resilience'

export const events: Channel<unknown, ResilienceEvent> = channel(RESILIENCE_CHANNEL)

export function publish(event: ResilienceEvent): void {
  if (events.hasSubscribers) events.publish(event)
}
