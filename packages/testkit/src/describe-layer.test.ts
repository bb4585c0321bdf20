import type { Layer } from '@breakwater/resilience'

import { describeLayer } from './describe-layer.ts'
import type { Parcel } from './describe-layer.ts'

const transparent: Layer<Parcel, Parcel> = (inner) => async (request, call) => inner(request, call)

/** Waits a second after a failure and fails with it then, as a retry does between its tries. */
const pausing: Layer<Parcel, Parcel> = (inner) => async (request, call) => {
  try {
    return await inner(request, call)
  } catch (error) {
    const { promise, reject } = Promise.withResolvers<Parcel>()
    const timer = call.clock.schedule(1_000, () => reject(error))
    const subscription = call.onAbort(reject)
    try {
      return await promise
    } finally {
      timer.cancel()
      subscription.cancel()
    }
  }
}

describeLayer('a layer that does nothing', { make: () => transparent })
describeLayer('a layer that pauses after a failure', { make: () => pausing, waits: { failing: true } })
