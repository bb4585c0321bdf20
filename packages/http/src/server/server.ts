import type {
  Accept,
  Driver,
  ListenOptions,
  Listener,
  ListenerSettings,
  TransportHandler,
} from '../transport.ts'
import { ServerConnection } from './connection.ts'
import type { ServerHandler } from './handler.ts'
import { resolveServerOptions } from './options.ts'
import type { ResolvedServerOptions, ServerOptions } from './options.ts'

/** What becomes of a connection that was not welcome: nothing. */
const UNWELCOME: TransportHandler = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }

/** A server that waits for another's port. */
export interface Successor {
  readonly server: HttpServer
  /** From now on it accepts, and the one before is left with its connections: drain it. Cannot fail. */
  readonly takeOver: () => void
}

/** A listener with its connections. */
export class HttpServer {
  readonly #driver: Driver
  readonly #listener: Listener
  readonly #accepting: Accepting
  /** Whether the port is this server's to close: not before it took over, nor after it was taken over. */
  #ownsPort: boolean

  private constructor(driver: Driver, listener: Listener, accepting: Accepting, ownsPort: boolean) {
    this.#driver = driver
    this.#listener = listener
    this.#accepting = accepting
    this.#ownsPort = ownsPort
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
    const accepting = acceptingFor(driver, handler, resolveServerOptions(options))
    return new HttpServer(driver, await driver.listen(listen, accepting.accept), accepting, true)
  }

  /**
   * Prepares another server for the same port, which is open all the while. Certificates are read again.
   *
   * @throws `BW_HTTP_LISTEN_FAILED` when a certificate cannot be used: nothing has changed then.
   * @throws `BW_HTTP_OPTIONS_INVALID`.
   */
  prepareSuccessor(
    settings: ListenerSettings,
    handler: ServerHandler,
    options: ServerOptions = {},
  ): Successor {
    const accepting = acceptingFor(this.#driver, handler, resolveServerOptions(options))
    const change = this.#listener.prepare(settings, accepting.accept)
    const server = new HttpServer(this.#driver, this.#listener, accepting, false)
    return {
      server,
      takeOver: () => {
        change()
        this.#ownsPort = false
        server.#ownsPort = true
      },
    }
  }

  /**
   * Prepares other settings of the port for connections to come; those that are open go on as they are.
   *
   * @throws `BW_HTTP_LISTEN_FAILED` when a certificate cannot be used.
   */
  prepareSettings(settings: ListenerSettings): () => void {
    return this.#listener.prepare(settings, this.#accepting.accept)
  }

  get host(): string {
    return this.#listener.host
  }

  get port(): number {
    return this.#listener.port
  }

  /** Open connections, idle ones and tunnels included. */
  get connections(): number {
    return this.#accepting.connections.size
  }

  /** Stops accepting, closes idle connections, and lets the others finish their answer with `Connection: close`. */
  async drain(): Promise<void> {
    await this.#stopAccepting()
    for (const connection of this.#accepting.connections) connection.drain()
  }

  /** Stops accepting and cuts every connection, tunnels included. */
  async close(): Promise<void> {
    await this.#stopAccepting()
    for (const connection of this.#accepting.connections) connection.destroy()
  }

  async #stopAccepting(): Promise<void> {
    // Handshakes that are under way end after this.
    this.#accepting.isOver = true
    if (this.#ownsPort) await this.#listener.close()
  }
}

interface Accepting {
  readonly accept: Accept
  readonly connections: Set<ServerConnection>
  isOver: boolean
}

function acceptingFor(driver: Driver, handler: ServerHandler, options: ResolvedServerOptions): Accepting {
  const connections = new Set<ServerConnection>()
  const forget = (connection: ServerConnection): void => {
    if (connections.delete(connection)) handler.onDisconnect?.(connection.transport.remoteAddress)
  }
  const accepting: Accepting = {
    connections,
    isOver: false,
    accept: (transport, nowMs) => {
      if (accepting.isOver || handler.onConnect?.(transport.remoteAddress) === false) {
        transport.destroy()
        return UNWELCOME
      }
      const connection = new ServerConnection(transport, driver, options, handler, nowMs, forget)
      connections.add(connection)
      return connection
    },
  }
  return accepting
}
