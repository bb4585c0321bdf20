import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { serviceFile } from '../src/index.ts'
import type { ServiceName } from '../src/index.ts'
import { identityOf } from './people.ts'

export interface RunningService {
  readonly url: string
  readonly child: ChildProcess
}

type Env = Readonly<Record<string, string>>

/** Starts one service on a free port and waits for the line that says where it listens. */
export async function startService(name: ServiceName, env: Env): Promise<RunningService> {
  const child = spawnService(name, { PORT: '0', ...env })
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with ${String(code)}`))),
  ])
  const { port } = JSON.parse(first) as { port: number }
  return { url: `http://127.0.0.1:${port}`, child }
}

/** Starts one service without waiting for anything. The channel between us makes it stop when this process is gone. */
export function spawnService(name: ServiceName, env: Env): ChildProcess {
  return spawn(process.execPath, ['--conditions=source', fileURLToPath(serviceFile(name))], {
    env: { PATH: process.env['PATH'], ...identityOf(name), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

/** Ends a service in order, by force after three seconds, and gives its exit code. */
export async function stopService({ child }: Pick<RunningService, 'child'>): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 3000)
  const [code] = (await exited) as [number | null]
  clearTimeout(force)
  return code
}

export interface RunningShop {
  readonly urls: Readonly<Record<ServiceName, string>>
  readonly dataDir: string
  stop(): Promise<readonly (number | null)[]>
}

/** The whole shop without a gateway: each service is told the addresses of those it calls. */
export async function startShop(env: Env = {}): Promise<RunningShop> {
  const dataDir = mkdtempSync(join(tmpdir(), 'shop-'))
  const common = { ...env, SHOP_DATA_DIR: dataDir, SHOP_FAULTS: '1', CATALOG_ACQUIRE_TIMEOUT_MS: '200' }
  const [catalog, billing] = await Promise.all([
    startService('catalog', common),
    startService('billing', common),
  ])
  const withCatalog = { ...common, CATALOG_URL: catalog.url }
  const payments = await startService('payments', withCatalog)
  const orders = await startService('orders', {
    ...common,
    PAYMENTS_URL: payments.url,
    BILLING_URL: billing.url,
  })
  const storefront = await startService('storefront', { ...withCatalog, ORDERS_URL: orders.url })
  const all = { catalog, billing, payments, orders, storefront }
  return {
    urls: {
      catalog: catalog.url,
      billing: billing.url,
      payments: payments.url,
      orders: orders.url,
      storefront: storefront.url,
    },
    dataDir,
    async stop() {
      const codes = await Promise.all(Object.values(all).map(stopService))
      rmSync(dataDir, { recursive: true, force: true })
      return codes
    },
  }
}

export interface JsonAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** One request with JSON both ways. */
export async function ask(
  url: string,
  init: { readonly method?: string; readonly headers?: Env; readonly body?: unknown } = {},
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
    headers: { ...(init.body === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    signal: AbortSignal.timeout(10_000),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as JsonAnswer['body'],
  }
}
