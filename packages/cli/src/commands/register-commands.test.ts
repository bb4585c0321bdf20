import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildRegister, defineControl, defineDrill, defineThreats } from '@breakwater/drill'
import type { DrillReport, Register } from '@breakwater/drill'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'

import { drillCommand } from './drill.ts'
import type { Terminal } from './terminal.ts'
import { threatsCommand } from './threats.ts'

const { overfullDam } = defineThreats({
  overfullDam: {
    title: 'The lake runs over the dam',
    looksLike: 'Water in the valley.',
    defence: 'A spillway.',
    notCovered: 'Rain beyond the capacity of the spillway.',
    source: 'A manual of hydraulics',
  },
})
const control = defineControl({
  id: 'threats-command',
  title: 'A file that mentions it',
  defends: [overfullDam],
  code: 'packages/cli/src/commands/threats.ts',
  configuration: [],
  notCovered: 'Everything else.',
})
const drill = (id: string, isToothless = false): Register['drills'][number] =>
  defineDrill({
    id,
    title: 'Floods the valley',
    threat: overfullDam,
    controls: [control],
    lab: 'sim',
    arrange: (lab) => ({ lab }),
    attack: ({ lab }, { control: state }) => ({ level: state === 'off' ? 7 : 0.5, luck: lab.random() }),
    judge: ({ level, luck }) => ({
      outcome: level > 1 && !isToothless ? 'breached' : 'contained',
      because: [
        { name: 'water in the valley', value: level, unit: 'm', atMost: 1 },
        { name: 'luck', value: luck, unit: '' },
      ],
      honest: [{ name: 'turbines fed', value: 1, unit: 'ratio', atLeast: 0.99 }],
    }),
  })
const whole = buildRegister([overfullDam], [control], [drill('flood'), drill('wave')])
const orphaned = buildRegister([overfullDam], [control], [])

interface Spoken {
  out: string
  err: string
  code: number | undefined
}

async function run(command: Command, ...args: readonly string[]): Promise<Spoken> {
  command.exitOverride().configureOutput({ writeErr: (text) => (spoken(command).err += text) })
  for (const sub of command.commands) sub.copyInheritedSettings(command)
  await command.parseAsync(args, { from: 'user' })
  return spoken(command)
}

const heard = new WeakMap<Command, Spoken>()

function spoken(command: Command): Spoken {
  const known = heard.get(command)
  if (known === undefined) throw new Error('not a command of this test')
  return known
}

function listening(
  make: (deps: { terminal: Terminal; loadRegister: () => Promise<Register> }) => Command,
  register: Register = whole,
): Command {
  const said: Spoken = { out: '', err: '', code: undefined }
  const terminal: Terminal = {
    write: (text) => (said.out += text),
    note: (text) => (said.err += text),
    isColoured: false,
    setExitCode: (code) => (said.code = code),
    interrupted: () => new AbortController().signal,
  }
  const command = make({ terminal, loadRegister: async () => Promise.resolve(register) })
  heard.set(command, said)
  return command
}

describe('breakwater threats', () => {
  test('list links threat, control, code and drill', async () => {
    const { out } = await run(listening(threatsCommand), 'list')
    await expect(out).toMatchFileSnapshot('../../test/golden/threats-list.txt')
    const { rows } = JSON.parse((await run(listening(threatsCommand), 'list', '--json')).out) as {
      rows: unknown[]
    }
    expect(rows).toMatchObject([
      {
        threat: { id: 'overfull-dam' },
        controls: [{ id: 'threats-command', code: 'packages/cli/src/commands/threats.ts' }],
        drills: [{ id: 'flood', lab: 'sim', controls: ['threats-command'] }, { id: 'wave' }],
      },
    ])
  })

  test('check ends with 0 when nothing is orphaned', async () => {
    const { out, code } = await run(listening(threatsCommand), 'check')
    expect({ out, code }).toEqual({ out: '1 threats, 1 controls, 2 drills: nothing is orphaned\n', code: 0 })
  })

  test('check ends with 1 and names each orphan with its fix', async () => {
    const { out, code } = await run(listening(threatsCommand, orphaned), 'check')
    expect(code).toBe(1)
    await expect(out).toMatchFileSnapshot('../../test/golden/threats-check.txt')
    const asJson = await run(listening(threatsCommand, orphaned), 'check', '--json')
    expect((JSON.parse(asJson.out) as { orphans: unknown[] }).orphans).toHaveLength(2)
    expect(asJson.code).toBe(1)
  })

  test('check finds code that is not there', async () => {
    const { out } = await run(listening(threatsCommand), 'check', '--root', tmpdir())
    expect(out).toContain('control threats-command: packages/cli/src/commands/threats.ts does not exist.')
  })
})

describe('breakwater drill', () => {
  test('ends with 0 when every drill passes, and shows how far it is on standard error', async () => {
    const { out, err, code } = await run(listening(drillCommand), '--all')
    expect(code).toBe(0)
    expect(out).toContain('2 passed, 0 failed (seed 1)')
    expect(err).toMatch(
      /^flood: control off …\nflood: control off → breached \(\d+\.\d s\)\nflood: control on …\n/,
    )
    expect(err).toContain('wave: passed\n')
  })

  test('ends with 1 when one drill is broken', async () => {
    const register = buildRegister([overfullDam], [control], [drill('flood'), drill('toothless', true)])
    const { out, code } = await run(listening(drillCommand, register), '--all')
    expect(code).toBe(1)
    expect(out).toContain('this drill cannot go red, it proves nothing')
  })

  test('shows the damage with --control off and the containment with --control on', async () => {
    const off = await run(listening(drillCommand), 'flood', '--control', 'off')
    expect(off.code).toBe(0)
    expect(off.out).toContain('control off: breached\n    water in the valley 7 m (at most 1 m)')
    const on = await run(listening(drillCommand), 'flood', '--control', 'on')
    expect(on.out).toContain('control on: contained\n    water in the valley 0.5 m (at most 1 m)')
  })

  test('prints nothing but JSON with --json, the same for the same seed', async () => {
    const json = async (seed: string): Promise<unknown> => {
      const { out } = await run(listening(drillCommand), 'flood', '--json', '--seed', seed)
      return JSON.parse(out, (key, value: unknown) =>
        key === 'durationMs' ? undefined : value,
      ) as DrillReport
    }
    expect(await json('5')).toMatchObject({ schemaVersion: 1, seed: 5, verdict: 'passed' })
    expect(await json('5')).toEqual(await json('5'))
    expect(await json('5')).not.toEqual({ ...((await json('6')) as object), seed: 5 })
  })

  test('writes JUnit and HTML reports into folders that it makes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-cli-'))
    try {
      const junit = join(folder, 'a/junit.xml')
      const html = join(folder, 'b/report.html')
      await run(listening(drillCommand), '--all', '--junit', junit, '--html', html)
      expect(await readFile(junit, 'utf8')).toContain('<testcase classname="drill.overfull-dam" name="flood"')
      expect(await readFile(html, 'utf8')).toContain('<h2 id="wave">')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('refuses what it cannot do, with the way out', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => {
      const command = listening(drillCommand)
      await expect(run(command, ...args)).rejects.toThrow()
      return spoken(command).err
    }
    expect(await refused()).toBe('Name a drill, or use --all. The drills: breakwater threats list\n')
    expect(await refused('flood', '--all')).toBe('Name drills or use --all, not both.\n')
    expect(await refused('--all', '--seed', '-1')).toContain(
      'It must be a whole number from 0 to 4294967295.',
    )
    expect(await refused('--all', '--control', 'maybe')).toContain('Allowed choices are on, off.')
    expect(await refused('--all', '--target', 'ftp://x')).toContain('It must be a URL such as')
    await expect(run(listening(drillCommand), 'flod')).rejects.toThrow(
      'no drill is called flod; did you mean flood?',
    )
  })
})
