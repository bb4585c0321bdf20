import { threats } from '@breakwater/contract'
import { defineDrill } from '@breakwater/drill'
import type { Drill } from '@breakwater/drill'

import { objectCheck, shareScope } from '../controls-authz.ts'
import { arrange, honestLimit, honestRatio, openShop } from './play.ts'
import type { Person } from './policies.ts'
import { ROUTES, foreignObjects } from './shop.ts'

const CUSTOMERS: readonly Person[] = ['ada', 'grace', 'edsger']
const METHODS = ['GET', 'HEAD', 'DELETE', 'POST', 'PATCH', 'PUT'] as const

/** Every route with an object, every object that is not this person's, every verb, and every claim that might help. */
export const brokenObjects: Drill = defineDrill({
  id: 'broken-objects',
  title: 'Customers ask for every object of everybody else, by every route and verb',
  threat: threats.brokenObjectAuthorization,
  controls: [objectCheck],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options)
    const honest = await honestRatio(shop)
    let tries = 0
    for (const person of CUSTOMERS) {
      const foreign = [
        ...foreignObjects('Order', person).map((id) => `/orders/${id}`),
        ...foreignObjects('Invoice', person).flatMap((id) => [`/invoices/${id}`, `/invoices/${id}/refund`]),
        ...CUSTOMERS.filter((other) => other !== person).map((other) => `/users/${other}`),
        ...['acme', 'globex'].map((id) => `/tenants/${id}/orders`),
      ]
      const claims = [`X-Tenant-Id: globex`, `X-Authenticated-Tenant: globex`, 'X-User-Id: edsger']
      for (const path of foreign) {
        for (const method of METHODS) {
          tries++
          await shop.ask(method, path, { person, fields: ['Content-Length: 0', ...claims] })
        }
      }
    }
    return { honest, tries, reached: shop.deeds.length }
  },
  judge: ({ honest, tries, reached }) => ({
    outcome: reached === 0 ? 'contained' : 'breached',
    because: [
      {
        name: 'requests for objects of others that were carried out',
        value: reached,
        unit: 'requests',
        atMost: 0,
      },
      { name: 'tried', value: tries, unit: 'requests' },
    ],
    honest: honestLimit(honest),
  }),
})

const CACHED: typeof ROUTES = {
  ...ROUTES,
  order: {
    ...ROUTES['order'],
    match: { path: '/orders/{id}' },
    upstream: 'shop',
    coalesce: { varyBy: [] },
  },
}

/** Two people may see the same order; support gets it without the card. Shared answers would mix that up. */
export const borrowedAnswers: Drill = defineDrill({
  id: 'borrowed-answers',
  title: 'An answer made for one is under way, and another asks for the same',
  threat: threats.brokenObjectAuthorization,
  controls: [shareScope],
  lab: 'sim',
  arrange,
  async attack(play, options) {
    const shop = await openShop(play, options, { routes: CACHED, serviceMs: 60 })
    const honest = await honestRatio(shop)
    let borrowed = 0
    for (let round = 0; round < 20; round++) {
      const asked = (['ada', 'sue', 'grace'] as const).map((person) =>
        shop.request('GET', '/orders/o1', { person }),
      )
      const before = shop.deeds.length
      const answers = await shop.sendAll(asked)
      const served = answers.filter(({ status }) => status === 200).length
      borrowed += Math.max(0, served - (shop.deeds.length - before))
    }
    return { honest, borrowed }
  },
  judge: ({ honest, borrowed }) => ({
    outcome: borrowed === 0 ? 'contained' : 'breached',
    because: [
      { name: 'answers that had been made for somebody else', value: borrowed, unit: 'requests', atMost: 0 },
    ],
    honest: honestLimit(honest),
  }),
})
