import {
  FieldList,
  Forwarding,
  HttpServer,
  UpstreamPool,
  joinTunnel,
  requestFraming,
  responseFraming,
} from '../../src/index.ts'
import type {
  ConnectOptions,
  Driver,
  ListenOptions,
  PoolOptions,
  ServerExchange,
  ServerOptions,
} from '../../src/index.ts'

/** Reads a body and answers with it, as it comes. */
export function echo(exchange: ServerExchange): void {
  exchange.sendHead(200, new FieldList(), { kind: 'chunked' })
  exchange.onWritable = () => exchange.resumeBody()
  exchange.readBody({
    onData: (chunk) => {
      if (!exchange.sendData(chunk)) exchange.pauseBody()
    },
    onEnd: () => exchange.sendEnd(),
    onAbort: () => undefined,
  })
}

export interface Relay {
  readonly server: HttpServer
  readonly pool: UpstreamPool
  /** Codes of upstream failures. */
  readonly failures: string[]
}

/** A proxy as the gateway is one, without its policies. */
export async function openRelay(
  driver: Driver,
  listen: ListenOptions,
  upstream: ConnectOptions,
  poolOptions: PoolOptions = {},
  serverOptions: ServerOptions = {},
): Promise<Relay> {
  const pool = new UpstreamPool(driver, upstream, poolOptions)
  const forwarding = new Forwarding()
  const failures: string[] = []
  const onRequest = (exchange: ServerExchange, nowMs: number): void => {
    const { request } = exchange
    const wanted = {
      method: request.method,
      target: request.target,
      authority: request.authority,
      fields: forwarding.requestFields(exchange),
      ownLines: forwarding.hopLines(exchange),
      framing: requestFraming(request),
    }
    const up = pool.send(
      request.upgrade === undefined ? wanted : { ...wanted, upgrade: request.upgrade },
      {
        onHead: (head) =>
          exchange.sendHead(head.status, forwarding.responseFields(head), responseFraming(head), head.reason),
        onData: (chunk) => {
          if (!exchange.sendData(chunk)) up.pauseBody()
        },
        onEnd: () => exchange.sendEnd(),
        onError: (error) => {
          failures.push(error.code)
          if (exchange.headSent) exchange.abort()
          else {
            exchange.sendHead(error.spec.status, new FieldList(), { kind: 'none' })
            exchange.sendEnd()
          }
        },
        onWritable: () => exchange.resumeBody(),
        onUpgrade: (head, upgraded, atMs) => {
          joinTunnel(exchange.upgrade('websocket', forwarding.responseFields(head)), upgraded, driver, atMs)
        },
      },
      nowMs,
    )
    exchange.onWritable = () => up.resumeBody()
    exchange.onAbort = () => up.abort()
    if (request.body === 'none') return
    exchange.readBody({
      onData: (chunk) => {
        if (!up.sendData(chunk)) exchange.pauseBody()
      },
      onEnd: () => up.sendEnd(),
      onAbort: () => up.abort(),
    })
  }
  const server = await HttpServer.open(driver, listen, { onRequest }, serverOptions)
  return { server, pool, failures }
}
