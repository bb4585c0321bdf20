import { Origin, Stage } from './stage.ts'

export type Settings = NonNullable<Parameters<typeof Stage.open>[0]['services']['x']>

/** A gateway with one route to one server. */
export async function shop(settings: Settings = {}, more: Partial<Parameters<typeof Stage.open>[0]> = {}) {
  const stage = await Stage.open({ services: { shop: settings }, ...more })
  const origin = await Origin.open(stage, 'shop')
  return { stage, origin }
}

/** A gateway with one route to two servers. */
export async function pair(settings: Settings = {}, more: Partial<Parameters<typeof Stage.open>[0]> = {}) {
  const upstream = { endpoints: ['a:80', 'b:80'], ...settings.upstream }
  const stage = await Stage.open({ services: { shop: { ...settings, upstream } }, ...more })
  return { stage, a: await Origin.open(stage, 'a'), b: await Origin.open(stage, 'b') }
}

/** The code of a problem document. */
export const codeOf = (body: string): unknown => (JSON.parse(body) as { code: unknown }).code
/** A server that takes requests and never answers. */
export const silent = (origin: Origin): void => {
  origin.respond = () => {}
}
