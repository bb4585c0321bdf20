import { workloadTokenVariable } from '@breakwater/core'
import { TokenVerifier, identify } from '@breakwater/gateway/identity'
import type { Caller } from '@breakwater/gateway/identity'
import { errors } from './errors.ts'

/** Field in which the calling process proves which one it is, beside the user's token in `Authorization`. */
export const WORKLOAD_HEADER = 'workload-authorization'
/** The process of everybody who proves none. */
const ANYBODY = 'browser'

/** All values of each field, by its name in lower case. */
export type RequestFields = Readonly<Record<string, readonly string[] | undefined>>

/**
 * Who the service is and how it finds out who asks: from the environment, where whoever starts it puts a token of its own
 * (`WORKLOAD_TOKEN`) and the key that verifies those of others (`TOKEN_PUBLIC_KEY`). Without them it knows nobody.
 */
export class Identity {
  readonly #env: NodeJS.ProcessEnv
  readonly #verifier: TokenVerifier | undefined

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env
    const { TOKEN_PUBLIC_KEY: publicKey, TOKEN_ISSUER: issuer = '', TOKEN_AUDIENCE: audience = '' } = env
    this.#verifier = publicKey === undefined ? undefined : new TokenVerifier({ publicKey, issuer, audience })
  }

  /**
   * Who sends a request; undefined when it says nothing of it. Fields that merely say so are not looked at.
   *
   * @throws `SHOP_UNAUTHENTICATED` for a token that is not good.
   */
  callerOf(fields: RequestFields): Caller | undefined {
    if (fields['authorization'] === undefined && fields[WORKLOAD_HEADER] === undefined) return undefined
    const options = { verifier: this.#verifier, workloadHeader: WORKLOAD_HEADER, anonymousWorkload: ANYBODY }
    const identified = identify({ getAll: (name) => [...(fields[name] ?? [])] }, options, Date.now())
    if (identified.ok) return identified.value
    throw errors.SHOP_UNAUTHENTICATED(identified.error)
  }

  /** The service's own token: for every tenant together with a user, for `tenant` by itself. Undefined when it was given none. */
  ownToken(tenant?: string): string | undefined {
    return this.#env[workloadTokenVariable(tenant)]
  }
}
