import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README relays a request over real sockets', async () => {
  const printed = await runExample(new URL('../README.md', import.meta.url), 'relay')
  expect(printed).toBe('200 hello 127.0.0.1\n\n')
})
