import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import type { ServiceName } from '../addresses.ts'
import type { CallContext } from './context.ts'
import type { FaultBox } from './faults.ts'
import type { Identity } from './identity.ts'

/** A request as a handler sees it. */
export interface ServiceRequest {
  readonly context: CallContext
  readonly headers: IncomingHttpHeaders
  /** Pieces of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Reads and checks the body. Throws `SHOP_BODY_*`. */
  body<Body>(schema: z.ZodType<Body>): Promise<Body>
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

declare const DECLARED: unique symbol

/** A route as `Routes` and `openRoute` make it: nothing else can. */
export interface ServiceRoute {
  readonly method: 'GET' | 'POST'
  /** `/orders/{id}`: a name in braces is any one piece. */
  readonly path: string
  /** What its body must be; undefined when it has none. */
  readonly body: z.ZodType | undefined
  readonly [DECLARED]: 'guarded or open'
  handle(request: ServiceRequest): Answer | Promise<Answer>
}

/** What a service is, apart from being a server. */
export interface Service {
  readonly routes: readonly ServiceRoute[]
  /** Numbers for `GET /__fault`, where drills look. */
  state?(): Readonly<Record<string, number>>
  /** Stops what runs by itself and closes the database. Called after the last request. */
  close?(): void
}

export interface ServiceEnvironment {
  readonly name: ServiceName
  /** Folder for SQLite files, `undefined` for databases in memory. */
  readonly dataDir: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly identity: Identity
  readonly faults: FaultBox
}

export type OpenService = (environment: ServiceEnvironment) => Service
