import { expect, test } from 'vitest'
import type { KnownCaller } from '../authorization/known-callers.ts'
import { shareScopeOf } from './shared-key.ts'

test('nobody reaches the scope of a known caller by the name of a tenant', () => {
  const caller = { tenant: 'acme', user: 'ada', workload: 'browser' }
  const known = shareScopeOf({ tenantName: 'acme', caller: caller as KnownCaller })
  for (const tenantName of [known, JSON.stringify(['acme', 'acme', 'ada', 'browser']), 'acme'])
    expect(shareScopeOf({ tenantName, caller: undefined })).not.toBe(known)
})
