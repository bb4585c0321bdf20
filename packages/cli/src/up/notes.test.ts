import { expect, test } from 'vitest'

import { errors } from '../errors.ts'
import { openJsonNotes } from './notes.ts'

function open() {
  const records: unknown[] = []
  const notes = openJsonNotes((line) => records.push(JSON.parse(line)))
  return { notes, records }
}

test('each note is a line of JSON; warnings have their level, what a service prints its name', () => {
  const { notes, records } = open()
  notes.note('breakwater: starting orders\nbreakwater: warning: nobody answers at 127.0.0.1:1. Start it.\n')
  notes.note('orders | {"ready":true} | now\n')
  expect(records).toMatchObject([
    { level: 'info', name: 'breakwater', msg: 'starting orders' },
    { level: 'warn', msg: 'nobody answers at 127.0.0.1:1. Start it.' },
    { level: 'info', service: 'orders', msg: '{"ready":true} | now' },
  ])
})

test('what greets people is one line, and a failure has its code and fix', () => {
  const { notes, records } = open()
  notes.write('\nBreakwater runs shop\n\n  gateway  http://127.0.0.1:8080\n')
  notes.fail(errors.BW_CLI_PORT_IN_USE('port 8080 is in use'))
  notes.fail(new Error('unforeseen'))
  expect(records).toMatchObject([
    { msg: 'Breakwater runs shop', lines: ['  gateway  http://127.0.0.1:8080'] },
    {
      level: 'fatal',
      code: 'BW_CLI_PORT_IN_USE',
      msg: 'port 8080 is in use',
      fix: 'Stop what listens there, or choose another port.',
    },
    { level: 'fatal', msg: 'unforeseen', err: { stack: expect.stringContaining('notes.test.ts') } },
  ])
})

test('shows no secret', () => {
  const { notes, records } = open()
  notes.note('orders | connecting to postgres://shop:s3cret@db/orders\n')
  expect(JSON.stringify(records)).not.toContain('s3cret')
})
