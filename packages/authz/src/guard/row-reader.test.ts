import { describe, expect, test } from 'vitest'

import { Authorizer } from '../index.ts'
import { readDocument } from '../literals/json-document.ts'
import { readSchema } from '../schema/schema.ts'
import { RowReader } from './row-reader.ts'

const SCHEMA = `
entity User, Tag;
entity Order = {
  owner: User,
  total: Long,
  price?: decimal,
  paid?: Bool,
  note?: String,
  tags?: Set<Tag>,
  address?: { city: String, zip?: Long },
};
action view appliesTo { principal: [User], resource: [Order] };
`
const schema = readSchema(SCHEMA)
const reader = new RowReader(schema, { type: 'Order', id: 'id', attributes: { owner: 'customer.id' } })
const read = (text: string): unknown => {
  const row = readDocument(text)
  const id = reader.idOf(row)
  return id === undefined ? undefined : reader.entity(row, id)
}
const GOOD = '"id":"o1","customer":{"id":"ada"},"total":5'

describe('a row as an entity', () => {
  test('has what the schema knows, from where the row holds it', () => {
    const text = `{${GOOD},"price":12.50,"paid":true,"note":null,"tags":["a",7],"address":{"city":"B","x":1},"card":"4111"}`
    expect(read(text)).toEqual({
      uid: { type: 'Order', id: 'o1' },
      attrs: {
        owner: { __entity: { type: 'User', id: 'ada' } },
        total: 5,
        price: '12.50',
        paid: true,
        tags: [{ __entity: { type: 'Tag', id: 'a' } }, { __entity: { type: 'Tag', id: '7' } }],
        address: { city: 'B' },
      },
    })
  })

  test('keeps whole numbers to the last digit, as ids and as attributes', () => {
    const text = '{"id":12345678901234567890,"customer":{"id":"ada"},"total":9223372036854775807}'
    expect(read(text)).toMatchObject({
      uid: { id: '12345678901234567890' },
      attrs: { total: 9223372036854775807n },
    })
  })

  test.each([
    ['no id', '{"customer":{"id":"ada"},"total":5}'],
    ['an empty id', '{"id":"","customer":{"id":"ada"},"total":5}'],
    ['an id that is a fraction', '{"id":1.5,"customer":{"id":"ada"},"total":5}'],
    ['an id that is a list', '{"id":["o1"],"customer":{"id":"ada"},"total":5}'],
    ['nothing for what is required', '{"id":"o1","total":5}'],
    ['null for what is required', '{"id":"o1","customer":{"id":null},"total":5}'],
    ['a fraction for a Long', '{"id":"o1","customer":{"id":"ada"},"total":5.0}'],
    ['more than 64 bits', '{"id":"o1","customer":{"id":"ada"},"total":9223372036854775808}'],
    ['an object for an entity', '{"id":"o1","customer":{"id":{}},"total":5}'],
    ['text for a Bool', `{${GOOD},"paid":"true"}`],
    ['a number for a String', `{${GOOD},"note":1}`],
    ['no list for a Set', `{${GOOD},"tags":"a"}`],
    ['an object among the entities of a Set', `{${GOOD},"tags":["a",{}]}`],
    ['a list for a record', `{${GOOD},"address":[]}`],
    ['a record without what it needs', `{${GOOD},"address":{"zip":1}}`],
    ['nothing but a text', '"o1"'],
    ['null', 'null'],
  ])('is none with %s', (_, text) => {
    expect(read(text)).toBeUndefined()
  })

  test('is what the engine decides on', () => {
    const authorizer = new Authorizer({
      schema: SCHEMA,
      policies:
        'permit (principal, action, resource) when { resource.owner == principal && resource.total < 9 && resource.price == decimal("12.5") };',
    })
    const decide = (text: string): string => {
      const row = readDocument(text)
      const entity = reader.entity(row, 'o1')
      const request = {
        principal: { type: 'User', id: 'ada' },
        action: { type: 'Action', id: 'view' },
        resource: { type: 'Order', id: 'o1' },
        entities: entity === undefined ? [] : [entity],
      }
      return authorizer.decide(request).decision
    }
    expect(decide(`{${GOOD},"price":12.50}`)).toBe('allow')
    expect(decide(`{${GOOD},"price":12.51}`)).toBe('deny')
    expect(decide('{"id":"o1","customer":{"id":"eve"},"total":5,"price":12.5}')).toBe('deny')
  })
})

test.each([
  [{ type: 'Ordre', id: 'id', attributes: {} }, 'the schema does not know the entity type Ordre'],
  [{ type: 'Order', id: 'id', attributes: { ownr: 'x' } }, 'Order has no attribute ownr in the schema'],
])('refuses what the schema does not know: %j', (shape, message) => {
  expect(() => new RowReader(schema, shape)).toThrow(message)
})
