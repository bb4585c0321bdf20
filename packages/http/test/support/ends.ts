import type { Driver, Listener, Transport, TransportHandler } from '../../src/index.ts'

/** One end of a connection that has been told what happened to it. */
export class End implements TransportHandler {
  readonly transport: Transport
  readonly #respond: (end: End, bytes: Buffer) => void
  readonly got: Buffer[] = []
  readonly closed: Promise<Error | undefined>
  readonly ended: Promise<void>
  drains = 0
  #onEnded: () => void
  #onClosed: (error: Error | undefined) => void

  constructor(transport: Transport, respond: (end: End, bytes: Buffer) => void = () => undefined) {
    this.transport = transport
    this.#respond = respond
    const ended = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<Error | undefined>()
    this.ended = ended.promise
    this.closed = closed.promise
    this.#onEnded = ended.resolve
    this.#onClosed = closed.resolve
  }

  get text(): string {
    return Buffer.concat(this.got).toString('latin1')
  }

  onBytes(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes)
    this.got.push(copy)
    this.#respond(this, copy)
  }

  onDrain(): void {
    this.drains++
    this.transport.resume()
  }

  onEnd(): void {
    this.#onEnded()
  }

  onClose(_nowMs: number, error?: Error): void {
    this.#onClosed(error)
  }
}

export async function join(
  driver: Driver,
  server: Driver,
  respond?: (end: End, bytes: Buffer) => void,
  host: string = '127.0.0.1',
): Promise<{ near: End; far: End; listener: Listener }> {
  const far = Promise.withResolvers<End>()
  const listener = await server.listen({ host, port: 0 }, (transport) => {
    const end = new End(transport, respond)
    far.resolve(end)
    return end
  })
  const near = await connect(driver, listener.port, host)
  return { near, far: await far.promise, listener }
}

export const connect = (driver: Driver, port: number, host: string = '127.0.0.1'): Promise<End> =>
  new Promise((resolve, reject) => {
    driver.connect(
      { host, port },
      (transport) => {
        const end = new End(transport)
        resolve(end)
        return end
      },
      reject,
    )
  })
