import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from placing new objects among the old ones. It does so when objects of one kind have lived long before; under a
 * steady stream of requests it misjudges, what is dead there keeps what it refers to alive, and every collection of young
 * objects moves a fifth of them instead of none. A third of the gateway's own time goes with it. For processes that answer
 * requests; call it before the first one.
 */
export function expectShortLives(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
