import { z } from 'zod'

import { field, size } from '../fields.ts'
import { offer, section } from '../section.ts'

const typeRule = 'expected an entity type such as User or Shop::Order'
export const entityType = z
  .string(typeRule)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$/, typeRule)

const actionRule = 'expected the name of an action such as viewOrder'
export const actionName = z.string(actionRule).min(1, actionRule).max(200)

const placeRule = 'expected a name, or names joined by dots, such as data.items'
const place = z.string(placeRule).regex(/^[^.$\s][^.]*(\.[^.]+)*$/, placeRule)
const listRule = 'expected $ for the answer itself, or a place in it such as items or data.items'
const list = z
  .string(listRule)
  .regex(/^(\$|[^.$\s][^.]*(\.[^.]+)*)$/, listRule)
  .transform((text): readonly string[] => (text === '$' ? [] : text.split('.')))

const rows = section({
  list: field(
    list,
    'Where they are in the answer: `$` is the answer itself, otherwise `items` or `data.items`.',
    {
      suffix: '',
      kind: 'place',
    },
  ),
  type: field(entityType, 'Entity type of a row.', { suffix: '', kind: 'entity type' }),
  id: field(place.prefault('id'), 'Where a row holds its id.', { suffix: '', kind: 'place' }),
  action: field(actionName, 'What must be allowed on a row for it to be shown.', {
    suffix: '',
    kind: 'text',
  }),
  attributes: field(
    z.record(z.string().min(1).max(200), place, 'expected a mapping from attributes to places').prefault({}),
    'Attributes that a row holds under another name than the schema has: `{ owner: customer.id }`.',
    { suffix: '', kind: 'mapping' },
  ),
  count: field(
    place.optional().transform((text): readonly string[] | undefined => text?.split('.')),
    'Where the answer says how many rows there are; set to the number of those left. Other counts stay as they are.',
    { suffix: '', kind: 'place' },
  ),
})

/** What the gateway withholds from the answers of a route by itself. */
export const answerSchema = offer(
  'The gateway itself carries out `mask`, and leaves out rows, for an upstream that cannot. Such an answer is read whole, must be plain JSON, and is stored and shared nowhere; any other is refused.',
  {
    maxAnswer: size.withDefault('Longest answer that is read for it. A longer one is refused.', '1MiB', {
      min: '1KiB',
      max: '4MiB',
    }),
    rows: rows.optional().meta({
      description: 'A list in the answer, each row of which is asked about. What is not allowed is left out.',
    }),
  },
)
