import { expect, test } from 'vitest'

import { errors } from '../errors.ts'
import { refusalText } from './refusal.ts'

test('a refusal names its rule in plain ASCII, and its length is right', () => {
  const text = refusalText(errors.BW_HTTP_FIELD_INVALID('white space before a colon (RFC 9112 §5.1)'), 'a1b2')
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(JSON.parse(body)).toMatchObject({
    detail: 'white space before a colon (RFC 9112 section 5.1)',
    traceId: 'a1b2',
  })
  expect(head).toContain('x-request-id: a1b2')
  expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`)
})
