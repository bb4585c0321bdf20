import { FieldList } from '../../src/fields.ts'
import { ServerConnection } from '../../src/server/connection.ts'
import type { ServerExchange } from '../../src/server/exchange.ts'
import { resolveServerOptions } from '../../src/server/options.ts'
import type { ServerOptions } from '../../src/server/options.ts'
import { MemoryTiming, MemoryTransport } from './memory-transport.ts'

export const GET: string = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n'

export function open(options: ServerOptions = {}, onRequest?: (exchange: ServerExchange) => void) {
  const timing = new MemoryTiming()
  const transport = new MemoryTransport(timing)
  const exchanges: ServerExchange[] = []
  const refused: string[] = []
  const connection = new ServerConnection(
    transport,
    timing,
    resolveServerOptions(options),
    {
      onRequest(exchange) {
        exchanges.push(exchange)
        onRequest?.(exchange)
      },
      onRefused: (refusal) => refused.push(refusal.code),
    },
    0,
  )
  transport.handler = connection
  return { timing, transport, connection, exchanges, refused }
}

export function answer(exchange: ServerExchange, body: string, status = 200): void {
  exchange.sendHead(status, new FieldList(), { kind: 'length', bytes: body.length })
  exchange.sendData(Buffer.from(body))
  exchange.sendEnd()
}

export function collect(exchange: ServerExchange) {
  const seen = { body: '', ended: false, trailers: undefined as FieldList | undefined, error: '' }
  exchange.readBody({
    onData: (chunk) => (seen.body += Buffer.from(chunk).toString()),
    onEnd: (trailers) => Object.assign(seen, { ended: true, trailers }),
    onAbort: (error) => (seen.error = error.message),
  })
  return seen
}
