import { resolveText } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { DeadlineWheel } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { ConnectOptions, Connecting, Driver, Listener, ListenOptions } from '@breakwater/http'
import type { Transport, TransportHandler } from '@breakwater/http'

/** Takes everything, keeps nothing, says how much it was. */
export class Sink implements Transport {
  readonly bufferedBytes = 0
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 40_000
  readonly secure = false
  writtenBytes: number = 0
  handler: TransportHandler | undefined

  write(chunk: Uint8Array | string): boolean {
    this.writtenBytes += chunk.length
    return true
  }

  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

/** Time that the bench moves, connections that the bench feeds. */
export class MemoryDriver implements Driver {
  nowMs: number = 1000
  readonly wheel = new DeadlineWheel(1000)
  readonly clock: Clock = {
    now: () => this.nowMs,
    schedule: () => ({ cancel: () => undefined }),
  }
  readonly upstreams: Sink[] = []
  #accept: ((transport: Transport, nowMs: number) => TransportHandler) | undefined

  listen(
    options: ListenOptions,
    accept: (transport: Transport, nowMs: number) => TransportHandler,
  ): Promise<Listener> {
    this.#accept = accept
    return Promise.resolve({
      host: options.host,
      port: options.port,
      connections: 0,
      prepare: () => () => undefined,
      close: () => Promise.resolve(),
    })
  }

  connect(
    _options: ConnectOptions,
    onOpen: (transport: Transport, nowMs: number) => TransportHandler,
  ): Connecting {
    setImmediate(() => {
      const transport = new Sink()
      this.upstreams.push(transport)
      transport.handler = onOpen(transport, this.nowMs)
    })
    return { cancel: () => undefined }
  }

  client(): Sink {
    const transport = new Sink()
    transport.handler = this.#accept?.(transport, this.nowMs)
    return transport
  }
}

/** A gateway on one port with one upstream, and what `rest` says. */
export function configOf(rest: string): GatewayConfig {
  const text = `listeners:
  public: { port: 8080 }
upstreams:
  backend: { endpoints: [127.0.0.1:9000] }
${rest}`
  const config = resolveText(text, { file: 'bench.yaml' })
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  return config.value.config
}
