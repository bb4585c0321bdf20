import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { LocalLab } from '@breakwater/drill'
import { TestIssuer } from '@breakwater/gateway'

/** The services of the shop, each after those that it calls. */
export const SHOP_SERVICES = ['catalog', 'billing', 'payments', 'orders', 'storefront'] as const
export type ShopService = (typeof SHOP_SERVICES)[number]
export type ShopPorts = Readonly<Record<ShopService, number>>

export interface RunningShop {
  readonly ports: ShopPorts
  /** What a user sends to be known, for as long as a drill may take. */
  readonly authorization: (user: string, tenant: string) => string
  /** What a process sends. */
  readonly workloadAuthorization: (workload: string) => string
}

/**
 * Starts the real services of `examples/shop` (all, or those named), each a process that calls the others through the gateway at
 * `gatewayUrl`, with a token of its own from an issuer of this run.
 *
 * @throws Error outside of a clone of the repository: the package does not bring the shop.
 */
export async function startShop(
  lab: LocalLab,
  gatewayUrl: string,
  env: Readonly<Record<string, string>>,
  names: readonly ShopService[] = SHOP_SERVICES,
): Promise<RunningShop> {
  const folder = shopFolder('src/services')
  const { issuer } = TestIssuer.create()
  const sign = (kind: 'user' | 'workload', subject: string, tenant?: string): string => {
    const claims = { kind, subject, audience: 'shop', validForMs: 600_000 } as const
    return issuer.sign(tenant === undefined ? claims : { ...claims, tenant }, Date.now())
  }
  const trust = { TOKEN_PUBLIC_KEY: issuer.publicKey, TOKEN_ISSUER: issuer.name, TOKEN_AUDIENCE: 'shop' }
  const started = await Promise.all(
    names.map(async (name) => {
      const service = await lab.spawn({
        name,
        args: ['--conditions=source', fileURLToPath(new URL(`${name}.ts`, folder))],
        env: {
          PORT: '0',
          GATEWAY_URL: gatewayUrl,
          SHOP_FAULTS: '1',
          SHOP_DRAIN_MS: '100',
          ...trust,
          WORKLOAD_TOKEN: sign('workload', name),
          WORKLOAD_TOKEN_ACME: sign('workload', name, 'acme'),
          ...env,
        },
      })
      const { port } = JSON.parse(await service.waitForLine(/^\{"service"/)) as { readonly port: number }
      return [name, port] as const
    }),
  )
  return {
    ports: Object.fromEntries(started) as Record<ShopService, number>,
    authorization: (user, tenant) => `Bearer ${sign('user', user, tenant)}`,
    workloadAuthorization: (workload) => `Bearer ${sign('workload', workload)}`,
  }
}

/** A folder of the shop by its path in there. */
export function shopFolder(path: string): URL {
  for (let up = '../'; up.length < 40; up += '../') {
    const folder = new URL(`${up}examples/shop/${path}/`, import.meta.url)
    if (existsSync(folder)) return folder
  }
  throw new Error('this drill needs the shop: run it in a clone of the repository')
}

/** A folder with the shop's policies, edited. */
export async function editedPolicies(lab: LocalLab, edit: (cedar: string) => string): Promise<string> {
  const own = fileURLToPath(shopFolder('policies'))
  const folder = join(await lab.tempDir(), 'policies')
  await mkdir(folder)
  for (const file of ['shop.cedarschema', 'entities.json'])
    await copyFile(join(own, file), join(folder, file))
  await writeFile(join(folder, 'shop.cedar'), edit(await readFile(join(own, 'shop.cedar'), 'utf8')))
  return folder
}

/** How busy a service is, as its `/__fault` tells. */
export interface ShopState {
  readonly busyWorkers: number
  readonly waitingRequests: number
}

export async function stateOf(lab: LocalLab, port: number): Promise<ShopState> {
  const response = await fetch(`http://${lab.host}:${port}/__fault`)
  return ((await response.json()) as { readonly state: ShopState }).state
}

/** Breaks something in a service, until the run is over. */
export async function breakService(
  lab: LocalLab,
  port: number,
  faults: Readonly<Record<string, number | boolean>>,
): Promise<void> {
  const response = await fetch(`http://${lab.host}:${port}/__fault`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  })
  if (!response.ok) throw new Error(`the fault was answered with ${response.status}`)
}
