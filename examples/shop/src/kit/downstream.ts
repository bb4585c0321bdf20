import { isBreakwaterError } from '@breakwater/core'
import { GATEWAY_URL } from '../addresses.ts'
import type { ServiceName } from '../addresses.ts'
import { DEADLINE_HEADER } from './context.ts'
import type { CallContext } from './context.ts'
import { errors } from './errors.ts'
import { WORKLOAD_HEADER } from './identity.ts'
import type { Identity } from './identity.ts'
import type { ServiceEnvironment } from './service.ts'

export interface DownstreamRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
  /** For what is the same for everybody: asked without the user, so that no service sees more of a token than it needs. */
  readonly asItself?: boolean
}

export interface DownstreamAnswer {
  readonly status: number
  readonly body: unknown
  /** Parts that the gateway served in a lesser form, from its `Breakwater-Degraded` field. */
  readonly degraded: readonly string[]
}

/**
 * Another service of the shop, called through the gateway. It has one long time-out and no retry, breaker or bulkhead of
 * its own: that is what most services look like, and what the gateway in between is for.
 */
export class Downstream {
  readonly name: ServiceName
  readonly #baseUrl: string
  readonly #timeoutMs: number
  readonly #identity: Identity

  constructor(name: ServiceName, { env, identity }: Pick<ServiceEnvironment, 'env' | 'identity'>) {
    this.name = name
    this.#identity = identity
    this.#baseUrl = env[`${name.toUpperCase()}_URL`] ?? env['GATEWAY_URL'] ?? GATEWAY_URL
    this.#timeoutMs = Number(env['SHOP_DOWNSTREAM_TIMEOUT_MS'] ?? 30_000)
  }

  /**
   * Sends a request on with what is left of the caller's time, its trace, tenant and key: for the user, whose token goes with it,
   * and through this service, which proves that it is the one.
   *
   * @throws `SHOP_DEADLINE_EXCEEDED` without calling when no time is left, and when it runs out.
   * @throws `SHOP_DOWNSTREAM_UNAVAILABLE` when there is no answer, or one of 500 and above.
   */
  async call(context: CallContext, request: DownstreamRequest): Promise<DownstreamAnswer> {
    const leftMs = Math.floor(Math.min(context.deadlineAtMs - performance.now(), this.#timeoutMs))
    if (leftMs <= 0) throw errors.SHOP_DEADLINE_EXCEEDED(`no time left to call ${this.name}`)
    const timeout = AbortSignal.timeout(leftMs)
    try {
      const response = await fetch(new URL(request.path, this.#baseUrl), {
        method: request.method,
        headers: this.#headers(context, request, leftMs),
        ...(request.body === undefined ? undefined : { body: JSON.stringify(request.body) }),
        redirect: 'error',
        signal: AbortSignal.any([timeout, context.signal]),
      })
      const text = await response.text()
      if (response.status >= 500) {
        throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`${this.name} answered ${response.status}`, {
          details: { downstream: this.name, status: response.status },
        })
      }
      const degraded = response.headers.get('breakwater-degraded')?.split(/\s*,\s*/) ?? []
      return {
        status: response.status,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
        degraded,
      }
    } catch (error) {
      if (isBreakwaterError(error) || context.signal.aborted) throw error
      if (timeout.aborted) {
        throw errors.SHOP_DEADLINE_EXCEEDED(`${this.name} did not answer within ${leftMs} ms`, {
          cause: error,
        })
      }
      throw errors.SHOP_DOWNSTREAM_UNAVAILABLE(`${this.name} cannot be reached`, { cause: error })
    }
  }

  #headers(context: CallContext, request: DownstreamRequest, leftMs: number): Record<string, string> {
    const headers: Record<string, string> = {
      accept: 'application/json',
      [DEADLINE_HEADER]: String(leftMs),
      traceparent: context.traceparent,
      'x-request-id': context.requestId,
    }
    const { tenant, userToken } = request.asItself === true ? {} : context
    if (tenant !== undefined) headers['x-tenant-id'] = tenant
    if (userToken !== undefined) headers['authorization'] = `Bearer ${userToken}`
    const own = this.#identity.ownToken(userToken === undefined ? tenant : undefined)
    if (own !== undefined) headers[WORKLOAD_HEADER] = `Bearer ${own}`
    if (request.body !== undefined) headers['content-type'] = 'application/json'
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey
    return headers
  }
}
