import { z } from 'zod'
import { defaultPorts } from '../addresses.ts'
import type { ServiceName } from '../addresses.ts'
import { FaultBox } from './faults.ts'
import { Identity } from './identity.ts'
import { ServiceServer } from './server.ts'
import type { OpenService } from './service.ts'
import { WorkSlots } from './work-slots.ts'

const whole = (fallback: number, min: number) =>
  z.coerce.number().int().min(min).max(1_000_000).default(fallback)

const environmentSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  SHOP_DATA_DIR: z.string().min(1).optional(),
  SHOP_FAULTS: z.enum(['0', '1']).default('0'),
  SHOP_WORKERS: whole(64, 1),
  SHOP_WAITING: whole(512, 0),
  SHOP_DOWNSTREAM_TIMEOUT_MS: whole(30_000, 1),
  SHOP_DRAIN_MS: whole(10_000, 0),
})

/**
 * Runs one service as this process until SIGTERM, SIGINT, or the end of a launcher that opened an IPC channel: prints one line of JSON with its address when it is ready,
 * drains and exits with 0. Exits with 1 and one sentence when it cannot start.
 */
export async function runService(name: ServiceName, open: OpenService): Promise<void> {
  const parsed = environmentSchema.safeParse(process.env)
  if (!parsed.success) return fail(`${name} cannot start:\n${z.prettifyError(parsed.error)}`)
  const env = parsed.data
  const faults = new FaultBox()
  const identity = new Identity(process.env)
  const server = new ServiceServer({
    service: open({ name, dataDir: env.SHOP_DATA_DIR, env: process.env, identity, faults }),
    identity,
    faults,
    slots: new WorkSlots(env.SHOP_WORKERS, env.SHOP_WAITING),
    mayInjectFaults: env.SHOP_FAULTS === '1',
    ownTimeoutMs: env.SHOP_DOWNSTREAM_TIMEOUT_MS,
  })
  const port = env.PORT ?? defaultPorts[name]
  try {
    const address = await server.listen(env.HOST, port)
    console.log(JSON.stringify({ service: name, host: address.address, port: address.port }))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const reason = code === 'EADDRINUSE' ? 'the port is in use: stop what holds it, or set PORT' : code
    return fail(`${name} cannot listen on ${env.HOST}:${port}: ${reason}`)
  }
  let isStopping = false
  const stop = (): void => {
    if (isStopping) return
    isStopping = true
    server.drain(env.SHOP_DRAIN_MS).then(
      () => process.exit(0),
      (error: unknown) => fail(`${name} did not stop cleanly: ${String(error)}`),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Only with a launcher that opened a channel: without it nobody is left to stop this process.
  process.on('disconnect', stop)
}

function fail(message: string): void {
  console.error(message)
  process.exit(1)
}
