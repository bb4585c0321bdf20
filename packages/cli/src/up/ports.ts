import { connect, createServer } from 'node:net'

import type { GatewayConfig } from '@breakwater/contract'
import { errors } from '../errors.ts'

interface Wanted {
  readonly host: string
  readonly port: number
  /** `port 8080 of listener main` */
  readonly what: string
  /** How to choose another. */
  readonly fix: string
}

/**
 * Looks whether every address is free before anything is started: a service that is already running elsewhere would pass
 * the health check of the one that could not start.
 *
 * @throws `BW_CLI_PORT_IN_USE` naming the first that is taken.
 */
export async function assertPortsFree(config: GatewayConfig): Promise<void> {
  const { listeners, admin, services } = config
  const own: readonly Wanted[] = [
    ...listeners.map(({ name, host, port }) => ({
      host,
      port,
      what: `port ${port} of listener ${name}`,
      fix: `${variable('LISTENERS', name, 'PORT')} or listeners.${name}.port`,
    })),
    ...(admin.mode === 'off'
      ? []
      : [
          {
            host: admin.host,
            port: admin.port,
            what: `port ${admin.port} of the admin API`,
            fix: 'BREAKWATER_ADMIN_PORT or admin.port',
          },
        ]),
  ]
  for (const wanted of own) if (wanted.port !== 0 && !(await mayListen(wanted))) throw inUse(wanted)
  for (const { name, health } of services) {
    if (health === undefined) continue
    const { hostname, port, protocol } = new URL(health.url)
    const wanted = {
      host: hostname.replaceAll(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      what: `port ${port} of the service ${name}`,
      fix: `the command or env of services.${name}, with its health.url and its upstream`,
    }
    if (await isReachable(wanted, 1_000)) throw inUse(wanted)
  }
}

function inUse({ what, host, port, fix }: Wanted): Error {
  return errors.BW_CLI_PORT_IN_USE(
    `${what} is in use: another process, perhaps another breakwater up, listens on ${host}:${port}; another port is set by ${fix}`,
  )
}

function variable(...words: readonly string[]): string {
  return ['BREAKWATER', ...words].join('_').replaceAll('-', '_').toUpperCase()
}

function mayListen({ host, port }: Wanted): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  // Only what a fix on the user's side would help against; the gateway itself reports everything else.
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'))
  server.listen(port, host, () => server.close(() => resolve(true)))
  return promise
}

/** Whether anybody accepts connections there. */
export function isReachable(
  { host, port }: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, timeout: timeoutMs })
  const settle = (isThere: boolean): void => {
    socket.destroy()
    resolve(isThere)
  }
  socket.once('connect', () => settle(true))
  socket.once('timeout', () => settle(false))
  socket.once('error', () => settle(false))
  return promise
}
