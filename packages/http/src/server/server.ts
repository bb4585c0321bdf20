import type { Driver, ListenOptions, Listener, TransportHandler } from '../transport.ts'
import { ServerConnection } from './connection.ts'
import type { ServerHandler } from './handler.ts'
import { resolveServerOptions } from './options.ts'
import type { ServerOptions } from './options.ts'

/** What becomes of a connection that was not welcome: nothing. */
const UNWELCOME: TransportHandler = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }

/** A listener with its connections. */
export class HttpServer {
  readonly #listener: Listener
  readonly #connections: Set<ServerConnection>

  private constructor(listener: Listener, connections: Set<ServerConnection>) {
    this.#listener = listener
    this.#connections = connections
  }

  /**
   * Listens and answers with `handler`.
   *
   * @throws `BW_HTTP_LISTEN_FAILED`.
   * @throws `BW_HTTP_OPTIONS_INVALID`.
   */
  static async open(
    driver: Driver,
    listen: ListenOptions,
    handler: ServerHandler,
    options: ServerOptions = {},
  ): Promise<HttpServer> {
    const resolved = resolveServerOptions(options)
    const connections = new Set<ServerConnection>()
    const forget = (connection: ServerConnection): void => {
      if (connections.delete(connection)) handler.onDisconnect?.(connection.transport.remoteAddress)
    }
    const listener = await driver.listen(listen, (transport, nowMs) => {
      if (handler.onConnect?.(transport.remoteAddress) === false) {
        transport.destroy()
        return UNWELCOME
      }
      const connection = new ServerConnection(transport, driver, resolved, handler, nowMs, forget)
      connections.add(connection)
      return connection
    })
    return new HttpServer(listener, connections)
  }

  get host(): string {
    return this.#listener.host
  }

  get port(): number {
    return this.#listener.port
  }

  /** Open connections, idle ones and tunnels included. */
  get connections(): number {
    return this.#connections.size
  }

  /** Stops accepting, closes idle connections, and lets the others finish their answer with `Connection: close`. */
  async drain(): Promise<void> {
    await this.#listener.close()
    for (const connection of this.#connections) connection.drain()
  }

  /** Stops accepting and cuts every connection, tunnels included. */
  async close(): Promise<void> {
    await this.#listener.close()
    for (const connection of this.#connections) connection.destroy()
  }
}
