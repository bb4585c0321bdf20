import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { runProgram } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-program-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(words: string): Promise<{ readonly code: number | undefined; readonly said: string }> {
  let said = ''
  const code = await runProgram(words.split(' '), (text) => (said += text))
  return { code, said }
}

describe('a wrong word', () => {
  test.each([
    [
      'bogus',
      "breakwater: unknown command 'bogus'\nCommands: up, check, status, resilience, config, threats, drill, authz, help\nMore: breakwater --help\n",
    ],
    ['confg', "breakwater: unknown command 'confg' (Did you mean config?)\n"],
    ['help bogus', "breakwater: unknown command 'bogus'\nCommands: up, "],
    ['constructor', "breakwater: unknown command 'constructor'\n"],
    [
      'config prnt',
      "breakwater config: unknown command 'prnt' (Did you mean print?)\nCommands: validate, print, explain, help\n",
    ],
    [
      'authz nothing',
      'Commands: test, explain, can, matrix, shadow, log, bundle, test-token, fuzz-bola, help\n',
    ],
    ['authz bundle nothing', 'Commands: keygen, build, sign, verify, push, help\n'],
    ['resilience nothing', 'Commands: status, ladder, help\n'],
    ['threats nothing', 'Commands: list, check, help\n'],
  ])('%s is answered with the commands there are', async (words, expected) => {
    const { code, said } = await run(words)
    expect(said).toContain(expected)
    expect(code).toBe(2)
  })

  test.each([
    [
      '--versoin',
      "breakwater: unknown option '--versoin' (Did you mean --version?)\nOptions: --version, --help\n",
    ],
    ['up --conifg x', "breakwater up: unknown option '--conifg' (Did you mean --config?)\n"],
    ['config print --jsno', "breakwater config print: unknown option '--jsno' (Did you mean --json?)\n"],
    ['status -x', "breakwater status: unknown option '-x'\nOptions: --admin, --config, --json, --help\n"],
    ['drill --contrl on', '(Did you mean --control?)'],
    ['authz can --action a --usr a', '(Did you mean --user?)'],
  ])('%s is answered with the option that was meant', async (words, expected) => {
    const { code, said } = await run(words)
    expect(said).toContain(expected)
    expect(code).toBe(2)
  })

  test.each([
    [
      'config explain',
      "missing required argument 'path'\nUsage: breakwater config explain [options] <path>\n",
    ],
    [
      'authz can',
      "required option '--action <action>' not specified\nUsage: breakwater authz can [options]\n",
    ],
    ['up extra', 'Usage: breakwater up [options]\nMore: breakwater up --help\n'],
    ['drill', 'breakwater drill: Name a drill, or use --all.'],
    ['drill bad-reloda', 'no drill is called bad-reloda; did you mean bad-reload?'],
  ])('%s is answered with what belongs there', async (words, expected) => {
    const { code, said } = await run(words)
    expect(said).toContain(expected)
    expect(code).toBe(2)
  })
})

test('a report that cannot be written is refused before any drill has run', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  const { code, said } = await run(`drill bad-reload --junit ${file}/report.xml`)
  expect(said).toBe(
    `breakwater: ${file}: a file stands where a folder is needed (EEXIST). Name another path.\n`,
  )
  expect(code).toBe(2)
})
