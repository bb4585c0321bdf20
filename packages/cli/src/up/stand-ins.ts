import type { GatewayConfig } from '@breakwater/contract'

/** Something that runs embedded, in place of what a larger installation has for it. */
export interface StandIn {
  readonly what: string
  readonly standIn: string
}

/** Which stand-ins a configuration uses. Only what really is in use is listed. */
export function standInsOf(config: GatewayConfig): readonly StandIn[] {
  const { routes, upstreams, services, telemetry, welcome, authorization } = config
  const uses = (isUsed: boolean, what: string, standIn: string): readonly StandIn[] =>
    isUsed ? [{ what, standIn }] : []
  return [
    ...uses(
      authorization.mode !== 'off' && authorization.identity.testIssuer !== undefined,
      'identity',
      'a test issuer is in use: whoever has its key is whoever they like',
    ),
    ...uses(
      routes.some(({ rateLimit }) => rateLimit.mode !== 'off'),
      'rate limits',
      'counted in the memory of this process, not shared with other gateways',
    ),
    ...uses(
      routes.some(({ idempotencyKey }) => idempotencyKey.mode !== 'off'),
      'idempotency keys',
      'kept in the memory of this process: a restart forgets them',
    ),
    ...uses(
      routes.some(({ staleIfError }) => staleIfError.mode !== 'off'),
      'stored answers',
      'kept in the memory of this process',
    ),
    ...uses(
      upstreams.some(({ breaker }) => breaker.mode !== 'off'),
      'breakers and budgets',
      'each gateway has its own and learns by itself',
    ),
    ...uses(
      services.length > 0,
      'orchestration',
      `${services.length === 1 ? 'one service runs' : `${services.length} services run`} as child processes; one that ends is not started again`,
    ),
    ...uses(
      telemetry.traces.mode !== 'off',
      'tracing',
      'trace ids are read, made and passed on; spans are exported nowhere',
    ),
    ...welcome.standIns.map((standIn) => ({ what: config.name, standIn })),
  ]
}

/** One line each, aligned. */
export function formatStandIns(standIns: readonly StandIn[]): string {
  const width = Math.max(0, ...standIns.map(({ what }) => what.length))
  return standIns.map(({ what, standIn }) => `  ${what.padEnd(width)}  ${standIn}\n`).join('')
}
