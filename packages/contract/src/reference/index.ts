/**
 * What is generated from the agreements: the JSON Schema for editors and the reference pages.
 *
 * @module
 */

export { configJsonSchema } from './json-schema.ts'
export { configurationPage } from './configuration-page.ts'
export { errorsPage } from './errors-page.ts'
export type { CatalogueLike } from './errors-page.ts'
