import { Reloader, openControl } from '@breakwater/control'
import type { GatewayConfig } from '@breakwater/contract'
import { Gateway, openProcessReadings } from '@breakwater/gateway'
import { openAccessLogSink } from './access-log.ts'
import { watchFile } from './config-watch.ts'
import { openDriver } from './driver.ts'
import { assertPortsFree } from './ports.ts'
import { findUnreachable } from './reachability.ts'
import { reloadText } from './reload-text.ts'
import { Services } from './services.ts'
import { handleSignals } from './signals.ts'
import { welcomeText } from './welcome.ts'
import { workloadEnvironmentOf } from './workload-tokens.ts'

export interface RunOptions {
  readonly config: GatewayConfig
  /** Absolute. */
  readonly file: string
  /** As the user named it. */
  readonly shownFile: string
}

export interface RunDeps {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Standard output. */
  readonly write: (text: string) => void
  /** Standard error. */
  readonly note: (text: string) => void
  /** Ends this process now: the user will not wait. */
  readonly exit: (code: number) => void
}

const FORCED = 130

/**
 * Runs services, gateway and admin API until a signal or an order to drain, then stops them in reverse. Resolves when all
 * is gone.
 *
 * @throws what keeps it from starting; whatever had been started is stopped by then.
 */
export async function run(options: RunOptions, deps: RunDeps): Promise<void> {
  const { config, file, shownFile } = options
  const { note } = deps
  const stopping = new AbortController()
  let services: Services | undefined
  let reloadNow = (): void => {}
  await using stack = new AsyncDisposableStack()
  stack.use(
    handleSignals({
      onStop(why) {
        note(`\nbreakwater: ${why}: stopping; requests in flight are finished. Again: at once\n`)
        stopping.abort(new Interrupted(why))
      },
      onForce() {
        services?.kill()
        deps.exit(FORCED)
      },
      onHangUp: () => reloadNow(),
    }),
  )
  try {
    await assertPortsFree(config)
    // Before services are started for nothing.
    const accessLog = stack.use(openAccessLogSink(config.telemetry, note))
    if (config.services.length > 0) {
      note(`breakwater: starting ${config.services.map(({ name }) => name).join(', ')}\n`)
    }
    await Services.start(config.services, servicesDepsOf(config, deps), {
      signal: stopping.signal,
      own: (started) => void (services = stack.use(started)),
    })

    const driver = openDriver(config.sockets, note)
    stack.defer(() => driver.close())
    const readings = stack.use(openProcessReadings())
    const gateway = await Gateway.open(config, {
      driver,
      readOverload: readings.read,
      ...(accessLog.write !== undefined && { writeAccessLog: accessLog.write }),
    })
    stack.defer(() => gateway.close())
    const reloader = new Reloader({ gateway, file, environment: deps.environment })
    const { admin } = config
    const control =
      admin.mode === 'off'
        ? undefined
        : stack.use(
            await openControl(
              {
                gateway,
                admin,
                reloader: {
                  reload: async () => {
                    const report = await reloader.reload()
                    note(reloadText(shownFile, report))
                    return report
                  },
                  get last() {
                    return reloader.last
                  },
                },
                drain: () => stopping.abort(new Interrupted('POST /drain')),
                onError: (error, traceId) =>
                  note(`breakwater: admin API, trace ${traceId}: ${String(error)}\n`),
              },
              { clock: driver.clock, environment: deps.environment },
            ),
          )
    stopping.signal.throwIfAborted()
    reloadNow = () => {
      if (stopping.signal.aborted) return
      reloader.reload().then(
        (report) => note(reloadText(shownFile, report)),
        (error: unknown) => note(`breakwater: warning: ${shownFile} is not in effect: ${String(error)}\n`),
      )
    }
    if (config.reload.watch) stack.use(watchFile(file, () => reloadNow()))

    const gatewayUrls = new Map(
      Array.from(gateway.addresses, ([name, { host, port, isTls }]) => [name, urlOf(host, port, isTls)]),
    )
    for (const { upstream, endpoint, isOptional, fix } of await findUnreachable(config)) {
      note(
        `breakwater: warning: nobody answers at ${endpoint} (upstream ${upstream}${isOptional ? ', optional' : ''}). ${fix} The gateway keeps trying.\n`,
      )
    }
    deps.write(
      welcomeText({
        config,
        file: shownFile,
        gatewayUrls,
        adminUrl: control?.url,
        accessLog: accessLog.where,
      }),
    )
    await new Promise((resolve) => {
      if (stopping.signal.aborted) resolve(undefined)
      stopping.signal.addEventListener('abort', resolve)
    })
    await gateway.drain()
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
  }
  await stack.disposeAsync()
  note('breakwater: stopped\n')
}

/** Somebody asked to stop: not a failure. */
class Interrupted extends Error {}

function servicesDepsOf(config: GatewayConfig, { environment, note }: RunDeps) {
  const [first] = config.listeners
  return {
    // Services that call each other through the gateway find it without being told twice.
    environment: {
      ...(first !== undefined &&
        first.port !== 0 && { GATEWAY_URL: urlOf(first.host, first.port, first.tls !== undefined) }),
      ...environment,
    },
    ownEnvironment: workloadEnvironmentOf(config, Date.now()),
    onLine: (service: string, line: string) => note(`${service} | ${line}\n`),
    onHealthy: (service: string, startedMs: number) =>
      note(`breakwater: ${service} is healthy after ${(startedMs / 1000).toFixed(1)} s\n`),
    onEnd: (service: string, ending: string) =>
      note(
        `breakwater: warning: the service ${service} ${ending}. It is not started again: restart breakwater up.\n`,
      ),
  }
}

/** For people: an address that listens everywhere is reached on this machine. */
function urlOf(host: string, port: number, isTls: boolean): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${isTls ? 'https' : 'http'}://${near.includes(':') ? `[${near}]` : near}:${port}`
}
