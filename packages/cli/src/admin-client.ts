import { readSecret } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import type { ReloadReport } from '@breakwater/control'
import type { GatewayStatus } from '@breakwater/gateway'
import { errors } from './errors.ts'

/** What `GET /status` of the admin API says. */
export interface AdminStatus extends GatewayStatus {
  readonly schemaVersion: 1
  /** `name` of its configuration. */
  readonly name: string
  readonly pid: number
  /** The gateway's clock: the times in the status count on it. */
  readonly nowMs: number
  readonly lastReload?: ReloadReport
}

/** Where the admin API of a gateway answers when nothing else is said. */
export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:9901'

/** The admin API of a running gateway, as commands see it. */
export class AdminClient {
  readonly url: string
  readonly #token: string | undefined

  constructor(url: string, token?: string) {
    this.url = url.replace(/\/+$/, '')
    this.#token = token
  }

  /**
   * Where a configuration says that it answers; `url` wins.
   *
   * @throws `BW_CONFIG_SECRET_MISSING` when the token cannot be read.
   */
  static of(
    admin: GatewayConfig['admin'] | undefined,
    url: string | undefined,
    environment: Readonly<Record<string, string | undefined>>,
  ): AdminClient {
    if (admin === undefined || admin.mode === 'off') return new AdminClient(url ?? DEFAULT_ADMIN_URL)
    const host = admin.host.includes(':') ? `[${admin.host}]` : admin.host
    const token = admin.token === undefined ? undefined : readSecret(admin.token, environment)
    return new AdminClient(url ?? `http://${host}:${admin.port}`, token)
  }

  /** @throws `BW_CLI_ADMIN_UNREACHABLE`, `BW_CLI_ADMIN_REFUSED` */
  async status(): Promise<AdminStatus> {
    return (await this.#get('/status')) as AdminStatus
  }

  /** The configuration in effect; limits that are off are `false`. Throws as `status`. */
  async config(): Promise<GatewayConfig> {
    return (await this.#get('/config')) as GatewayConfig
  }

  async #get(path: string): Promise<unknown> {
    let response: Response
    try {
      response = await fetch(this.url + path, {
        headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(5_000),
      })
    } catch (cause) {
      throw errors.BW_CLI_ADMIN_UNREACHABLE(`no admin API answers at ${this.url}`, { cause })
    }
    if (response.status === 401) {
      throw errors.BW_CLI_ADMIN_REFUSED(`the admin API at ${this.url} asks for a token`)
    }
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    if (!response.ok || !isJson) {
      throw errors.BW_CLI_ADMIN_UNREACHABLE(`what answers at ${this.url} is no admin API of Breakwater`)
    }
    return response.json()
  }
}
