import type { Transport } from '@breakwater/http'

import { legacyShop } from '../../drills/authz/legacy.ts'
import type { Person } from '../../drills/authz/policies.ts'
import type { Shop, ShopOptions } from '../../drills/authz/shop.ts'
import { SERVICE_PORT } from '../../drills/lab/world.ts'
import type { SimWorld } from '../../drills/lab/world.ts'
import { parseAnswers } from './answers.ts'
import type { Answer } from './answers.ts'
import { newWorld, shopIn } from './guarded-shop.ts'

type Options = Parameters<typeof legacyShop>

/** What a service does with a request, in bytes. */
export type Serve = (transport: Transport, head: string) => void

/** A service that speaks bytes, behind a gateway that answers for it. */
export class LegacyStand {
  readonly world: SimWorld
  readonly shop: Shop
  /** Heads of the requests that came through. */
  readonly heads: string[] = []
  serve: Serve = (transport) => transport.write(json('{}'))

  private constructor(world: SimWorld, shop: Shop) {
    this.world = world
    this.shop = shop
  }

  static async open(
    authorize: Options[0],
    { route, ...more }: ShopOptions & { readonly route?: Options[1] } = {},
  ): Promise<LegacyStand> {
    const world = newWorld()
    const options = legacyShop(authorize, route)
    const routes = { ...options.routes, ...more.routes }
    const upstreams = { ...options.upstreams, ...more.upstreams }
    const stand = new LegacyStand(world, await shopIn(world, { ...options, ...more, routes, upstreams }))
    for (const port of [SERVICE_PORT, SERVICE_PORT + 1]) await stand.#listen(port)
    return stand
  }

  async #listen(port: number): Promise<void> {
    await this.world.host('legacy').listen({ host: 'legacy', port }, (transport) => {
      let text = ''
      return {
        onBytes: (bytes) => {
          text += Buffer.from(bytes).toString('latin1')
          for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
            const head = text.slice(0, end + 4)
            const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
            text = text.slice(end + 4 + length)
            this.heads.push(head)
            this.serve(transport, head)
          }
        },
        onDrain() {},
        onEnd: () => transport.end(),
        onClose() {},
      }
    })
  }

  /** What one person gets, and whether that is whole. */
  async ask(person: Person = 'sue', method = 'GET', fields: readonly string[] = []): Promise<Answer> {
    const { text } = await this.shop.ask(method, '/legacy/acme', { person, fields })
    const [answer] = parseAnswers(text, method === 'HEAD')
    if (answer === undefined) throw new Error(`no answer: ${JSON.stringify(text)}`)
    return answer
  }

  /** The same when the service always answers with these bytes. */
  async askFor(
    bytes: string,
    person: Person = 'sue',
    method = 'GET',
    fields: readonly string[] = [],
  ): Promise<Answer> {
    this.serve = (transport) => transport.write(bytes)
    return this.ask(person, method, fields)
  }

  /** The first field of this name in the request as it came through last. */
  sent(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, 'im').exec(this.heads.at(-1) ?? '')?.[1]
  }
}

/** An answer in JSON, as bytes of latin1. */
export function json(body: string, fields: readonly string[] = [], status = '200 OK'): string {
  const bytes = Buffer.from(body)
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    `Content-Length: ${bytes.length}`,
    ...fields,
    '',
    bytes.toString('latin1'),
  ].join('\r\n')
}

/** The same in chunks of `size` bytes. */
export function chunked(body: string, size: number, trailers = ''): string {
  const bytes = Buffer.from(body)
  let text = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    text += `${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`
  }
  return `${text}0\r\n${trailers}\r\n`
}

/** The code of a problem document; its body where it is none. */
export const codeIn = ({ body }: Answer): string => /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? body
