/**
 * The commerce domain that demo, drills and examples play in: services, events, and what to try.
 *
 * @module
 */

export { GATEWAY_URL, defaultPorts, serviceFile, serviceNames } from './addresses.ts'
export type { ServiceName } from './addresses.ts'
export { commandsToTry } from './commands.ts'
export type { CommandToTry } from './commands.ts'
export { products, tenants, users } from './domain.ts'
export type { Product, Tenant, User } from './domain.ts'
export { orderCreated, paymentCompleted, shopEvents } from './events.ts'
export type { OrderCreated, PaymentCompleted, ShopEventName } from './events.ts'
export { faultsSchema } from './kit/faults.ts'
export type { Faults } from './kit/faults.ts'
