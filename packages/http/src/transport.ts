import type { Clock, DeadlineWheel } from '@breakwater/core'

/**
 * One byte stream, as a driver gives it to a connection state machine.
 *
 * **Turns.** A driver calls a machine (`onBytes`, `onDrain`, `accept`, a deadline …); everything until that call returns is
 * one turn. Writes made during a turn leave together when it ends, or with those of the turns right behind it.
 */
export interface Transport {
  /**
   * Queues bytes; a string is latin1. The transport has sent or copied them when the turn ends: until then the caller
   * must not change them, afterwards it may reuse them.
   *
   * @returns false when more than the high-water mark is waiting: stop, `onDrain` follows. The bytes are taken either way.
   */
  write(chunk: Uint8Array | string): boolean
  /** Half-close: sends what is queued, then says that no more will come. Reading goes on. */
  end(): void
  /**
   * Closes now, both ways; what is queued is lost, but what an earlier turn wrote is sent as far as the other side takes it at
   * once. `onClose` follows, in a later turn. With `reset` the other side is told by a reset, where the transport has one, so
   * that it cannot take the end for a half-close or a complete answer.
   */
  destroy(reset?: boolean): void
  /** Stops reading. Bytes already read may still arrive in the current turn, never in a later one. */
  pause(): void
  resume(): void
  /** Bytes accepted by `write` so far. */
  readonly writtenBytes: number
  /** Those of them that the peer's side has not taken yet. */
  readonly bufferedBytes: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Whether the bytes are protected by TLS. */
  readonly secure: boolean
}

/** What a driver tells the owner of a transport. After `onClose` nothing follows. Times are the driver's clock. */
export interface TransportHandler {
  /** The bytes are a view into a buffer that the driver will reuse: valid during the call, copy what must stay. */
  onBytes(bytes: Uint8Array, nowMs: number): void
  /** Writing may go on. Only after a `write` returned false. */
  onDrain(nowMs: number): void
  /** The peer will send no more (half-close). Writing may go on. */
  onEnd(nowMs: number): void
  /** The transport is gone, for both sides. `error` when it did not end in peace. */
  onClose(nowMs: number, error?: Error): void
}

/** TLS on a listener. Files are read when it opens. */
export interface ListenTls {
  /** PEM file with the certificate and its chain. */
  readonly certificateFile: string
  /** PEM file with the private key. */
  readonly keyFile: string
  /** Oldest version that is spoken. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** From accept to the end of the handshake. Milliseconds; `Infinity` for no limit. Default 10 000. */
  readonly handshakeTimeoutMs?: number
  /** ALPN, preferred first. Default `['http/1.1']`. */
  readonly alpn?: readonly string[]
  /** Whether a client that has this many handshakes under way may begin another. Default: it may. */
  readonly mayBegin?: (remoteAddress: string, handshakes: number) => boolean
}

export interface ListenOptions {
  /** Address or name to listen on. */
  readonly host: string
  /** 0 picks a free port: see `Listener.port`. */
  readonly port: number
  readonly tls?: ListenTls
  /** Length of the kernel's accept queue. Default 511. */
  readonly backlog?: number
  /** Lets several processes share the port (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean
  /** Connections above this are closed at once. Default: no limit. */
  readonly maxConnections?: number
}

/** What of a listener may change while its port stays open. */
export type ListenerSettings = Pick<ListenOptions, 'tls' | 'maxConnections'>

/** Gives a new connection to whoever serves it. */
export type Accept = (transport: Transport, nowMs: number) => TransportHandler

export interface Listener {
  readonly host: string
  readonly port: number
  /** Open connections that came through this listener. */
  readonly connections: number
  /**
   * Prepares other settings, and somebody else, for the connections that come from now on; certificates are read again. The
   * port is open all the while, and nothing changes until the result is called.
   *
   * @throws `BW_HTTP_LISTEN_FAILED` when a certificate cannot be used.
   */
  prepare(settings: ListenerSettings, accept: Accept): () => void
  /** Stops accepting. Connections that are open stay open. */
  close(): Promise<void>
}

/** TLS to an upstream. The certificate is always verified, against `caFile` or the system's roots. */
export interface ConnectTls {
  /** Name to verify and to send as SNI. Default: `host`. */
  readonly servername?: string
  /** PEM file with the certificate authorities to trust instead of the built-in ones. */
  readonly caFile?: string
  /** ALPN, preferred first. Default `['http/1.1']`. */
  readonly alpn?: readonly string[]
}

export interface ConnectOptions {
  readonly host: string
  readonly port: number
  readonly tls?: ConnectTls
}

/** A connection attempt. */
export interface Connecting {
  /** Gives up. Neither `onOpen` nor `onError` follows. Does nothing once one of them was called. */
  cancel(): void
}

/** Where connections and time come from: real sockets (`openNetDriver`) or a simulated network. */
export interface Driver {
  readonly clock: Clock
  /** Every timeout of every machine. The driver moves it. */
  readonly wheel: DeadlineWheel
  /** @throws `BW_HTTP_LISTEN_FAILED` when the address is taken, not local, or not permitted. */
  listen(options: ListenOptions, accept: Accept): Promise<Listener>
  /** Calls back in a later turn, never during this call. Has no time-out of its own: arm a deadline and cancel. */
  connect(
    options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
    onError: (error: Error, nowMs: number) => void,
  ): Connecting
}
