import type { EntityStore } from '../entities/entity-store.ts'
import { resolveRequest, type AuthzRequest, type ResolvedRequest } from './request.ts'

/** A request read once. It follows the store: names are looked up again when identities came or went since. */
export class PreparedRequest {
  readonly #request: AuthzRequest
  readonly #store: EntityStore
  #resolved: ResolvedRequest
  #added: number
  #sweeps: number

  constructor(request: AuthzRequest, store: EntityStore) {
    this.#request = request
    this.#store = store
    this.#resolved = resolveRequest(request, store)
    this.#added = store.uids.added
    this.#sweeps = store.uids.sweeps
  }

  /** The request on the store as it is now. */
  resolve(): ResolvedRequest {
    const { uids } = this.#store
    if (this.#added !== uids.added || this.#sweeps !== uids.sweeps || this.#request.entities !== undefined) {
      this.#resolved = resolveRequest(this.#request, this.#store)
      this.#added = uids.added
      this.#sweeps = uids.sweeps
    }
    return this.#resolved
  }
}
