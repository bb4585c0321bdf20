/**
 * What a `breakwater.config.ts` imports. Everything else is the command.
 *
 * @module
 */

export { defineConfig } from '@breakwater/contract'
export type { ConfigInput } from '@breakwater/contract'
