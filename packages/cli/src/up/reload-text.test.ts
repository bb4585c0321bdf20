import { expect, test } from 'vitest'

import { openJsonNotes } from './notes.ts'
import { reloadText } from './reload-text.ts'

const report = {
  at: '2026-01-01T00:00:00.000Z',
  isRefused: false,
  problems: [],
  kept: [],
  dropped: [],
  needsRestart: [],
  failure: undefined,
}

function levels(changes: Partial<Parameters<typeof reloadText>[1]>): readonly unknown[] {
  const records: { readonly level: unknown; readonly msg: unknown }[] = []
  openJsonNotes((line) => records.push(JSON.parse(line) as (typeof records)[number])).note(
    reloadText('breakwater.yaml', { ...report, ...changes }),
  )
  return records.map(({ level, msg }) => `${String(level)} ${String(msg)}`)
}

test('a file that is in effect is a note', () => {
  expect(levels({ needsRestart: ['admin'] })).toEqual([
    'info admin: the change waits for the next start',
    'info breakwater.yaml is in effect',
  ])
})

test('what is not in effect is a warning', () => {
  expect(levels({ kept: ['routes.hello'], dropped: ['routes.new'] })).toEqual([
    'warn routes.hello keeps its last good version',
    'warn routes.new is out of service: it has no good version',
    'info breakwater.yaml is in effect',
  ])
  expect(levels({ isRefused: true })).toEqual([
    'warn breakwater.yaml is not in effect: the configuration before it goes on',
  ])
  expect(levels({ failure: 'the port 80 is in use' })).toEqual([
    'warn breakwater.yaml is not in effect: the port 80 is in use',
  ])
})
