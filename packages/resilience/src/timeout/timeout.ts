import { within } from '../call.ts'
import type { Call, OwnedCall } from '../call.ts'
import { errors } from '../errors.ts'
import { OptionCheck } from '../internal/option-check.ts'
import { publish } from '../internal/events.ts'
import type { Layer, Service } from '../service.ts'

export interface TimeoutOptions<Response> {
  /** Names the dependency in events. Default ''. */
  readonly key?: string
  /** Time allowed for the inner call, from its start. Milliseconds, above 0 and finite. */
  readonly timeoutMs: number
  /**
   * What happens when the inner service ignores the abort. `wait` (default): its caller waits on, nothing is orphaned.
   * `abandon`: the caller gets its error at once, and the late answer goes to `onLate`.
   */
  readonly ifIgnored?: 'wait' | 'abandon'
  /** Takes an answer that came after the caller was sent away, to release what it holds. Only with `abandon`. */
  readonly onLate?: (response: Response) => void
  /** Decide and count (event `dark.would-refuse`), but abort nothing. Default false. */
  readonly dark?: boolean
}

/**
 * Fails a call that takes too long and aborts the work behind it. Outside `retry` it limits the whole call, inside it
 * each try. The timer runs only while the inner service listens for the abort. An answer that arrives is never thrown
 * away for being late.
 *
 * @throws `BW_RESILIENCE_DEADLINE_EXCEEDED` when `timeoutMs` has passed.
 * @throws the call's `abortReason`, untouched, when the caller aborts first.
 * @throws `BW_RESILIENCE_OPTIONS_INVALID` at construction.
 */
export function timeout<Request, Response>(options: TimeoutOptions<Response>): Layer<Request, Response> {
  const { timeoutMs, key = '', ifIgnored = 'wait', dark = false } = options
  new OptionCheck('timeout')
    .above('timeoutMs', timeoutMs, 0)
    .that(['wait', 'abandon'].includes(ifIgnored), `ifIgnored must be wait or abandon, got ${ifIgnored}`)
    .done()
  const abandons = ifIgnored === 'abandon'
  return (inner) => async (request, call) => {
    if (call.aborted) throw call.abortReason
    if (dark) return watched(inner, request, call, timeoutMs, key)
    // Not `using`: it costs ten times as much as the call object.
    const limited = within(call, timeoutMs)
    try {
      return await (abandons ? raced(inner, request, limited, key, options.onLate) : inner(request, limited))
    } catch (error) {
      if (call.aborted) throw call.abortReason
      if (!limited.expired) throw error
      publish({ name: 'timeout.exceeded', key, timeoutMs })
      throw errors.BW_RESILIENCE_DEADLINE_EXCEEDED(`no answer within ${timeoutMs} ms`, {
        details: { timeoutMs },
        cause: error,
      })
    } finally {
      limited[Symbol.dispose]()
    }
  }
}

function raced<Request, Response>(
  inner: Service<Request, Response>,
  request: Request,
  limited: OwnedCall,
  key: string,
  onLate: ((response: Response) => void) | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const subscription = limited.onAbort((reason) => {
      isOver = true
      reject(reason)
    })
    const settle = (act: () => void, late: () => void): void => {
      subscription.cancel()
      if (isOver) late()
      else act()
    }
    inner(request, limited).then(
      (response) =>
        settle(
          () => resolve(response),
          () => {
            publish({ name: 'timeout.late', key })
            onLate?.(response)
          },
        ),
      (error: unknown) =>
        settle(
          () => reject(error),
          () => publish({ name: 'timeout.late', key }),
        ),
    )
  })
}

async function watched<Request, Response>(
  inner: Service<Request, Response>,
  request: Request,
  call: Call,
  timeoutMs: number,
  key: string,
): Promise<Response> {
  const startMs = call.clock.now()
  try {
    return await inner(request, call)
  } finally {
    if (call.clock.now() - startMs >= timeoutMs)
      publish({ name: 'dark.would-refuse', key, control: 'timeout' })
  }
}
