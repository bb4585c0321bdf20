import type { Call } from './call.ts'

/** One request in, one response out, whatever the protocol. */
export type Service<Request, Response> = (request: Request, call: Call) => Promise<Response>

/** Wraps a service in one behaviour. A layer never changes the request or the response type. */
export type Layer<Request, Response> = (inner: Service<Request, Response>) => Service<Request, Response>

/**
 * Puts layers around a service. **The first layer is the outermost**: it sees the request first and the response
 * last, so the list reads in the order in which a request meets it.
 */
export function stack<Request, Response>(
  service: Service<Request, Response>,
  layers: readonly Layer<Request, Response>[],
): Service<Request, Response> {
  return layers.reduceRight((inner, layer) => layer(inner), service)
}
