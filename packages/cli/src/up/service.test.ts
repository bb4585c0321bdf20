import { resolveObject } from '@breakwater/contract'
import type { ServiceConfig } from '@breakwater/contract'
import { expect, test } from 'vitest'

import { Service } from './service.ts'

function configOf(service: object): ServiceConfig {
  const resolved = resolveObject(
    {
      listeners: { main: { port: 0 } },
      upstreams: { a: { endpoints: ['127.0.0.1:1'] } },
      routes: { a: { match: '/*', upstream: 'a' } },
      services: { s: { command: ['no-such-program'], ...service } },
    },
    { file: 'test' },
  )
  const config = resolved.ok ? resolved.value.config.services[0] : undefined
  if (config === undefined) throw new Error(JSON.stringify(resolved))
  return config
}

test.each([
  ['program', {}, 'there is no program no-such-program'],
  ['folder', { command: ['node', '-v'], cwd: '/no/such/folder' }, 'there is no folder /no/such/folder'],
])('a service whose %s is missing says so', async (_what, service, said) => {
  const started = Service.start(configOf(service), { environment: process.env, onLine: () => {} })
  expect(await started.ended).toBe(`could not be started: ${said}`)
})
