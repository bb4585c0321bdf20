import type { Call } from '../call.ts'

/** Waits `delayMs` by the call's clock. Rejects with the abort reason, untouched, the moment the call aborts; leaves nothing behind. */
export function wait(call: Call, delayMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = call.clock.schedule(delayMs, () => {
      subscription.cancel()
      resolve()
    })
    const subscription = call.onAbort((reason) => {
      timer.cancel()
      reject(asError(reason))
    })
  })
}

/** The reason itself: what the aborting side gave is what the waiting side gets, an `Error` or not. */
function asError(reason: unknown): Error {
  return reason as Error
}
