import type { Socket } from 'node:net'

/** @internal */
export const OWNER: unique symbol = Symbol('owner')
const SOCKETS: unique symbol = Symbol('sockets')
const COUNT: unique symbol = Symbol('count')

/** Who is told what happens on a socket. @internal */
export interface SocketOwner {
  deliver(bytes: Uint8Array): void
  ended(): void
  drained(): void
  /** `closed` follows. */
  failed(error: Error): void
  closed(): void
}

/**
 * A socket that knows who looks after it. So one function can listen on all sockets: a closure for each socket and event
 * takes more memory than all that they look after. @internal
 */
export interface OwnedSocket extends Socket {
  [OWNER]?: SocketOwner
  [SOCKETS]?: Set<Socket>
  [COUNT]?: { connections: number }
}

/** Keeps a socket in a set until it closes; its errors concern whoever uses it. @internal */
export function own(socket: OwnedSocket, sockets: Set<Socket>): void {
  sockets.add(socket)
  socket[SOCKETS] = sockets
  // Without a listener an error in the time between two owners would end the process.
  socket.on('error', ignore)
  socket.on('close', disown)
}

/** Counts a socket until it closes. @internal */
export function count(socket: OwnedSocket, counter: { connections: number }): void {
  counter.connections++
  socket[COUNT] = counter
  socket.on('close', discount)
}

function ignore(): void {}

function disown(this: OwnedSocket): void {
  this[SOCKETS]?.delete(this)
}

function discount(this: OwnedSocket): void {
  if (this[COUNT] !== undefined) this[COUNT].connections--
}
