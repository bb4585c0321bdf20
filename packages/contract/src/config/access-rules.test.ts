import { expect, test } from 'vitest'

import { resolveText } from './resolve.ts'

const problems = (
  tenants: string,
  authorization = 'policies: p, identity: { testIssuer: { keys: k } }',
): unknown => {
  const read = resolveText(`
listeners: { main: { port: 0 } }
upstreams: {}
routes: {}
authorization: { ${authorization} }
services: { orders: { command: [node], workload: { name: orders, tenants: ${tenants} } } }
`)
  return read.ok ? [] : read.error.map(({ path, message }) => [path, message])
}

test('two tenants whose tokens would be in one variable are refused', () => {
  expect(problems('[acme, acme-eu, globex]')).toEqual([])
  for (const pair of ['[acme-eu, acme_eu]', '[acme, ACME]', '[acme, acme]'])
    expect(problems(pair)).toEqual([
      [
        'services.orders.workload.tenants',
        expect.stringContaining('would be in one variable, WORKLOAD_TOKEN_ACME'),
      ],
    ])
})

test('a workload needs somebody who signs its token', () => {
  expect(problems('[]', 'policies: p')).toEqual([
    ['services.orders.workload', 'there is no test issuer with a key here to sign its token'],
  ])
})
