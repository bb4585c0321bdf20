import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { hearing } from '../../../test/hearing.ts'
import { authzCommand } from './authz.ts'

const shop = join(import.meta.dirname, '../../../../../examples/shop/policies')
const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-unusable-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function runIn(where: string, ...args: readonly string[]) {
  const { terminal, heard } = hearing()
  await authzCommand({ terminal, folder: where, now: () => 0 }).parseAsync(args, { from: 'user' })
  return heard
}

describe('files and texts that cannot be used', () => {
  test.each([
    [`can --user u1 --action refund --context [1] -p ${shop}`, '--context is not a JSON object'],
    [
      `can --user u1 --action viewInvoise -p ${shop}`,
      'the schema has no action viewInvoise. Did you mean viewInvoice?',
    ],
    ['can --user u1 --action refund -p nowhere', 'there is no folder nowhere: name that of the policies'],
    [`shadow -p ${shop} --candidate nowhere`, 'there is no folder nowhere'],
    [`shadow -p ${shop} --candidate ${shop} --requests lines.json`, 'lines.json:2 is not a JSON object'],
    [
      `bundle build -p ${shop} --name a --release 1 -o lines.json/b`,
      'a part of the path is a file, not a folder',
    ],
    ['bundle keygen lines.json/key', 'a part of the path is a file, not a folder'],
    [`test lines.json -p ${shop}`, 'a part of the path is a file, not a folder'],
    ['test-token --user u1 --key lines.json', 'lines.json holds no private key in PEM form'],
    ['test-token --user u1 --key .', 'a file is needed here, not a folder'],
  ])('%s is one line, and exit code 2', async (words, expected) => {
    writeFileSync(join(folder, 'lines.json'), '{"principal":{"type":"User","id":"u1"}}\n{bad\n')
    const { err, code, out } = await runIn(folder, ...words.split(' '))
    expect(err).toContain(expected)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect([out, code]).toEqual(['', 2])
  })
})
