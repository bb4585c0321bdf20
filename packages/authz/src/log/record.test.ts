import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KnownContext } from '../engine/known-context.ts'
import { KnownUid } from '../entities/known-uid.ts'
import { RecordWriter } from './record.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 20 }),
  fc.constantFrom('a"b', 'a\\b', '\n', '\ud800', '\u2028', '\u{1f600}'),
)

test('a record is one line of JSON that says what was given, whatever the texts are', () => {
  fc.assert(
    fc.property(text, text, text, fc.array(text, { maxLength: 3 }), (type, id, other, reasons) => {
      const line = new RecordWriter(['note', 'flag', 'count']).line(7, {
        timeMs: 0,
        traceId: other,
        request: {
          principal: { type, id },
          action: { __entity: { type, id: other } },
          resource: { type: 'Doc', id },
          context: { note: other, flag: true, count: -3 },
        },
        decision: {
          decision: 'deny',
          reasons,
          errors: [],
          obligations: [],
          policyVersion: other,
          engine: 'opa',
        },
      })
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(JSON.parse(line)).toEqual({
        seq: 7,
        time: '1970-01-01T00:00:00.000Z',
        by: reasons.length > 0 ? 'policy' : 'default',
        result: 'deny',
        who: `${type}::${JSON.stringify(id)}`,
        action: `${type}::${JSON.stringify(other)}`,
        object: `Doc::${JSON.stringify(id)}`,
        context: { note: other, flag: true, count: -3 },
        ...(reasons.length > 0 && { reasons }),
        policyVersion: other,
        engine: 'opa',
        traceId: other,
      })
    }),
    { numRuns: 500 },
  )
})

test('a number that JSON cannot say is left out', () => {
  const line = new RecordWriter(['n']).line(1, {
    timeMs: 0,
    request: {
      principal: { type: 'U', id: 'a' },
      action: { type: 'A', id: 'b' },
      resource: { type: 'D', id: 'c' },
      context: { n: Number.NaN },
    },
    decision: {
      decision: 'deny',
      reasons: [],
      errors: [],
      obligations: [],
      policyVersion: 'v',
      engine: 'compiled',
    },
  })
  expect(JSON.parse(line)).not.toHaveProperty('context')
})

test('says so when somebody else asked and said who wants what', () => {
  const decision = { decision: 'deny', reasons: [], errors: [], obligations: [], policyVersion: 'v' } as const
  const line = new RecordWriter([]).line(1, {
    timeMs: 0,
    decision: { ...decision, engine: 'compiled' },
    via: 'authzen',
    traceId: 't',
  })
  expect(JSON.parse(line)).toMatchObject({ via: 'authzen', traceId: 't' })
})

test('writes known parts of a request as it writes the plain ones, for every writer as it was told to', () => {
  const decision = { decision: 'allow', errors: [], obligations: [], engine: 'compiled' } as const
  const names = ['ann', 'a "quoted" one', '\ud83d\ude00', 'x'.repeat(300), '\ud800']
  const writers = [new RecordWriter(['tenant']), new RecordWriter([]), new RecordWriter(['tenant', 'n'])]
  for (const id of [...names, ...names.toReversed()]) {
    const context = { workload: { __entity: { type: 'Workload', id } }, tenant: { type: 'Tenant', id }, n: 7 }
    const plain = {
      principal: { type: 'User', id },
      action: { type: 'Action', id: 'view' },
      resource: { type: 'Doc', id },
      context,
    }
    const known = {
      principal: new KnownUid('User', id),
      action: new KnownUid('Action', 'view'),
      resource: new KnownUid('Doc', id),
      context: new KnownContext(context),
    }
    for (const reasons of [[], [id], ['p'], ['p', id], ['']]) {
      for (const writer of writers) {
        const entry = { timeMs: 0, decision: { ...decision, reasons, policyVersion: id } }
        const line = writer.line(1, { ...entry, request: plain })
        expect(new RecordWriter([]).line(1, { ...entry, request: plain })).toContain(
          JSON.stringify(reasons).slice(1, -1),
        )
        expect(writer.line(1, { ...entry, request: known })).toBe(line)
        expect(writer.line(1, { ...entry, request: known })).toBe(line)
        expect(JSON.parse(line)).toMatchObject({ policyVersion: id, ...(reasons.length > 0 && { reasons }) })
      }
    }
  }
})

test('the record of a list names what was shown, and says of the rest how much it was', () => {
  const line = new RecordWriter([]).line(1, {
    timeMs: 0,
    decision: {
      decision: 'allow',
      reasons: ['own'],
      errors: [],
      obligations: [],
      policyVersion: 'v1',
      engine: 'compiled',
    },
    rows: { kept: ['o"1', 'x'.repeat(300)], dropped: 3, unreadable: 1 },
  })
  expect(JSON.parse(line)).toMatchObject({
    result: 'allow',
    rows: { kept: ['o"1', `${'x'.repeat(256)}…(300)`], dropped: 3, unreadable: 1 },
  })
})
