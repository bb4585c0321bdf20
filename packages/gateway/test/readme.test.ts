import { runExample } from '@breakwater/testkit'
import { expect, test } from 'vitest'

test('the example of the README prints what the README says', async () => {
  expect(await runExample(new URL('../README.md', import.meta.url), 'gateway')).toBe(
    'hello from /hello/world\n\n404\n502 BW_HTTP_UPSTREAM_UNREACHABLE\nclosed\n',
  )
})

test('the example of what is withheld for a service prints what the README says', async () => {
  expect(await runExample(new URL('../README.md', import.meta.url), 'legacy')).toBe(
    'ada {"orders":[{"id":1,"owner":"ada","total":12.5,"card":"4111"}],"count":1}\n' +
      'sue {"orders":[{"id":1,"owner":"ada","total":12.5},{"id":2,"owner":"eve","total":99}],"count":2}\n' +
      'joe {"orders":[],"count":0}\n',
  )
})
