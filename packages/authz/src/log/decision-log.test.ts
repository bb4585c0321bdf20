import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Chain, NO_SEAL, sealLine } from './chain.ts'
import { openFileSink } from './file-sink.ts'
import { DecisionLog, type DecisionLogDeps, type DecisionLogOptions } from './decision-log.ts'
import type { DecisionEntry } from './record.ts'
import { readLogFolder } from './recover.ts'
import { verifyLog, type ChainHead, type LogFile } from './verify.ts'

const root = mkdtempSync(join(tmpdir(), 'breakwater-log-'))
afterAll(() => rmSync(root, { recursive: true }))

const uid = (type: string, id: string): { type: string; id: string } => ({ type, id })
function entry(id: string, more: Partial<DecisionEntry> = {}): DecisionEntry {
  return {
    timeMs: 1_760_000_000_000,
    request: { principal: uid('User', 'ada'), action: uid('Action', 'view'), resource: uid('Doc', id) },
    decision: {
      decision: 'allow',
      reasons: ['p1'],
      errors: [],
      policyVersion: 'v1',
      obligations: [],
      engine: 'compiled',
    },
    ...more,
  }
}

interface Opened {
  readonly log: DecisionLog
  readonly folder: string
  /** Ends the turn. */
  readonly turn: () => void
  readonly heads: ChainHead[]
}

function open(options: Partial<DecisionLogOptions> = {}, deps: DecisionLogDeps = {}): Opened {
  const folder = options.folder ?? mkdtempSync(join(root, 'case-'))
  const due: (() => void)[] = []
  const heads: ChainHead[] = []
  const log = new DecisionLog(
    { onSeal: (head) => heads.push(head), ...options, folder },
    { schedule: (run) => due.push(run), ...deps },
  )
  return { log, folder, heads, turn: () => due.splice(0).forEach((run) => run()) }
}

/** Thirty turns of three records each. */
function filled(options: Partial<DecisionLogOptions> = {}): Opened {
  const opened = open(options)
  for (let turn = 0; turn < 30; turn += 1) {
    for (const index of [0, 1, 2]) opened.log.append(entry(`d${turn}-${index}`))
    opened.turn()
  }
  opened.log.close()
  return opened
}

const linesOf = ({ bytes }: LogFile): string[] => new TextDecoder().decode(bytes).split('\n').slice(0, -1)
const fileOf = (lines: readonly string[], name = 'x'): LogFile => ({
  name,
  bytes: new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')),
})

describe('the decision log', () => {
  test('records who, through what, which action and object, by which policies and with what result', () => {
    const { log, folder, turn } = open({ contextKeys: ['amountCents', 'tenant'] })
    log.append(
      entry('d1', {
        traceId: 't1',
        request: {
          principal: uid('User', 'ada'),
          action: uid('Action', 'refund'),
          resource: { __entity: uid('Doc', 'd"1') },
          context: {
            workload: { __entity: uid('Workload', 'billing') },
            tenant: uid('Tenant', 'acme'),
            amountCents: 7,
            token: 'hunter2',
          },
        },
        decision: {
          decision: 'allow',
          reasons: ['p1', 'p2'],
          errors: [{ policyId: 'p3', effect: 'permit', message: 'attribute hunter2 is missing' }],
          policyVersion: 'v7',
          obligations: [{ name: 'mask', value: 'iban', policyId: 'p1' }],
          engine: 'compiled',
        },
      }),
    )
    turn()
    const text = readFileSync(join(folder, 'decisions-000001.jsonl'), 'utf8')
    expect(JSON.parse(text.split('\n')[1] ?? '')).toEqual({
      seq: 1,
      time: '2025-10-09T08:53:20.000Z',
      by: 'policy',
      result: 'allow',
      who: 'User::"ada"',
      workload: 'Workload::"billing"',
      action: 'Action::"refund"',
      object: 'Doc::"d\\"1"',
      context: { amountCents: 7, tenant: 'Tenant::"acme"' },
      reasons: ['p1', 'p2'],
      errors: ['p3'],
      obligations: ['mask=iban'],
      policyVersion: 'v7',
      traceId: 't1',
    })
    expect(text).not.toContain('hunter2')
  })

  test('records defaults, failures and shortcuts too, and requests that could not be read', () => {
    const { log, folder, turn } = open()
    const denied = { ...entry('').decision, decision: 'deny' as const, reasons: [] }
    log.append(entry('d1', { decision: denied }))
    log.append({ timeMs: 0, decision: { ...denied, failure: { code: 'BW_AUTHZ_DATA_INVALID' } } })
    log.append(entry('d1', { shortcut: 'public-route' }))
    turn()
    const [file] = readLogFolder(folder)
    const records = linesOf(file ?? fileOf([]))
      .slice(1, 4)
      .map((line) => JSON.parse(line) as object)
    expect(records).toMatchObject([
      { by: 'default', result: 'deny' },
      { by: 'failure', result: 'deny', failure: 'BW_AUTHZ_DATA_INVALID' },
      { by: 'shortcut', shortcut: 'public-route' },
    ])
  })

  test('cuts what a caller made long', () => {
    const { log, folder, turn } = open()
    log.append(entry('x'.repeat(1_000_000)))
    turn()
    expect(readLogFolder(folder)[0]?.bytes.length).toBeLessThan(1000)
  })

  test('makes one write of a turn, and says written only then', async () => {
    let writes = 0
    const { log, turn } = open({}, { openSink: () => ({ write: () => void (writes += 1), close: () => {} }) })
    const first = log.append(entry('a'))
    const second = log.append(entry('b'))
    expect([first.state, first === second, writes]).toEqual(['pending', true, 0])
    const written = first.written()
    turn()
    await written
    expect([first.state, writes]).toEqual(['written', 1])
  })

  test('bounds what a turn keeps in memory', () => {
    let writes = 0
    const { log } = open({}, { openSink: () => ({ write: () => void (writes += 1), close: () => {} }) })
    for (let index = 0; index < 5000; index += 1) log.append(entry('a'))
    expect(writes).toBe(4)
  })

  test('tells everybody of a batch that it is not written, and goes on with a chain that fits and names the gap', async () => {
    // github.com/open-policy-agent/opa/issues/7454
    let isFull = false
    const openSink: DecisionLogDeps['openSink'] = (path, durability) => {
      const file = openFileSink(path, durability)
      return {
        close: file.close,
        write(bytes) {
          if (isFull) throw new Error('ENOSPC: no space left on device')
          file.write(bytes)
        },
      }
    }
    const { log, folder, turn } = open({}, { openSink })
    log.append(entry('a'))
    turn()
    isFull = true
    const lost = [log.append(entry('b')), log.append(entry('c'))]
    turn()
    for (const batch of lost)
      await expect(batch.written()).rejects.toMatchObject({ code: 'BW_AUTHZ_LOG_FAILED' })
    isFull = false
    const after = log.append(entry('d'))
    turn()
    await after.written()
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 3 })
    expect(readFileSync(join(folder, 'decisions-000001.jsonl'), 'utf8')).toContain('"by":"gap","lost":2}')
  })

  test('writes what is pending when it is closed', async () => {
    // github.com/open-policy-agent/opa/issues/2710
    const { log, folder } = open()
    const batch = log.append(entry('a'))
    log.close()
    await batch.written()
    expect(verifyLog(readLogFolder(folder)).records).toBe(1)
  })

  test('fails what is appended after it was closed', async () => {
    const { log, turn } = open()
    log.close()
    const batch = log.append(entry('a'))
    turn()
    await expect(batch.written()).rejects.toMatchObject({ code: 'BW_AUTHZ_LOG_FAILED' })
  })

  test('goes on in the next file beyond the size, as one chain', () => {
    const { folder } = filled({ maxFileBytes: 4096 })
    expect(readdirSync(folder).length).toBeGreaterThan(1)
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 90 })
  })

  test('is for its owner alone, folder and files', () => {
    const folder = join(mkdtempSync(join(root, 'case-')), 'made', 'here')
    const modeOf = (path: string): number => statSync(path).mode & 0o777
    const { log, turn } = open({ folder })
    log.append(entry('d1'))
    turn()
    log.close()
    const [file = ''] = readdirSync(folder)
    expect([folder, join(folder, file)].map(modeOf)).toEqual([0o700, 0o600])
  })

  test('goes on after a restart, and cuts off an end that was never sealed', () => {
    const { folder } = filled()
    const path = join(folder, 'decisions-000001.jsonl')
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.concat([whole, Buffer.from('{"seq":91,"time"')]))
    const { log, turn } = open({ folder })
    log.append(entry('later'))
    turn()
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 92, unsealedBytes: 0 })
    expect(readFileSync(path, 'utf8')).toContain('"by":"recovered","tornBytes":16}')
  })

  test('goes on after a crash at any byte', () => {
    const { folder } = filled({ maxFileBytes: 4096 })
    const files = readLogFolder(folder)
    fc.assert(
      fc.property(fc.nat(files.reduce((sum, file) => sum + file.bytes.length, 0)), (cut) => {
        const own = mkdtempSync(join(root, 'crash-'))
        let left = cut
        for (const { name, bytes } of files) {
          if (left > 0) writeFileSync(join(own, name), bytes.subarray(0, left))
          left -= bytes.length
        }
        const { log, turn } = open({ folder: own, maxFileBytes: 4096 })
        log.append(entry('later'))
        turn()
        log.close()
        expect(verifyLog(readLogFolder(own))).toMatchObject({ ok: true, unsealedBytes: 0 })
        rmSync(own, { recursive: true })
      }),
      { numRuns: 60 },
    )
  })

  test('does not go on with a file that was changed', () => {
    const { folder } = filled()
    const path = join(folder, 'decisions-000001.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('d4-1', 'd4-2'))
    expect(() => open({ folder })).toThrow(/seal does not fit the 3 records before it \(from 13\)/)
  })

  test('refuses options that cannot work', () => {
    expect(() => open({ maxFileBytes: 100 })).toThrow('at least 4096')
    expect(() => open({ key: new Uint8Array(8) })).toThrow('at least 32')
  })
})

describe('verification', () => {
  const { folder, heads } = filled({ maxFileBytes: 4096 })
  const files = readLogFolder(folder)
  const [first = fileOf([]), second = fileOf([])] = files
  const lines = linesOf(first)
  const changed = (change: (lines: string[]) => void): readonly LogFile[] => {
    const copy = [...lines]
    change(copy)
    return [fileOf(copy, first.name), ...files.slice(1)]
  }

  test('accepts the log as it was written, every kept seal in it', () => {
    expect(verifyLog(files, { heads })).toMatchObject({
      ok: true,
      files: files.length,
      records: 90,
      head: heads.at(-1),
    })
  })

  test('finds an edit, a deletion, an insertion and a move', () => {
    const cases: readonly (readonly LogFile[])[] = [
      changed((all) => void (all[2] = (all[2] ?? '').replace('allow', 'deny!'))),
      changed((all) => void all.splice(2, 1)),
      changed((all) => void all.splice(1, 4)),
      changed((all) => void all.splice(2, 0, all[2] ?? '')),
      changed((all) => all.splice(2, 0, ...all.splice(1, 1))),
      changed((all) => all.splice(5, 0, ...all.splice(1, 4))),
      changed((all) => void all.pop()),
      files.slice(1),
      [second, first, ...files.slice(2)],
      [first, ...files.slice(2)],
    ]
    for (const [index, tampered] of cases.entries()) {
      expect({ index, ok: verifyLog(tampered).ok }).toEqual({ index, ok: false })
    }
  })

  /** What somebody can do who knows how seals are made: change a turn and seal it anew. */
  const resealed = (turn: number, change: (text: string) => string): readonly LogFile[] => {
    const at = lines.flatMap((line, index) => (line.startsWith('{"seal"') ? [index] : []))
    const from = turn === 0 ? 0 : (at[turn - 1] ?? 0) + 1
    const to = at[turn] ?? 0
    const before =
      turn === 0 ? NO_SEAL : (JSON.parse(lines[from - 1] ?? '') as { readonly seal: string }).seal
    const text = change(`${lines.slice(from, to).join('\n')}\n`)
    const records = text.split('\n').filter((line) => line.startsWith('{"seq"'))
    const { seq } = JSON.parse(records.at(-1) ?? '') as { readonly seq: number }
    const seal = sealLine(new Chain(before).next(text), seq, records.length)
    return [
      fileOf([...lines.slice(0, from), ...`${text}${seal}`.split('\n').slice(0, -1), ...lines.slice(to + 1)]),
      ...files.slice(1),
    ]
  }

  test('finds a turn that was changed and sealed anew, at the next seal', () => {
    expect(verifyLog(resealed(1, (text) => text)).ok).toBe(true)
    const { problem } = verifyLog(resealed(1, (text) => text.replace('ada', 'eve')))
    expect(problem?.message).toContain('the seal does not fit the 3 records before it (from 7)')
    const last = lines.filter((line) => line.startsWith('{"seal"')).length - 1
    const { problem: atEnd } = verifyLog(resealed(last, (text) => text.replace('ada', 'eve')))
    expect(atEnd).toMatchObject({ line: 1, message: 'does not follow the file before it' })
  })

  test('finds a number left out under a seal that fits', () => {
    const { problem } = verifyLog(resealed(1, (text) => text.replace('"seq":5', '"seq":50')))
    expect(problem?.message).toBe('record 50 where 5 is due')
  })

  test('finds a record slipped in behind the last seal of a file that others follow', () => {
    const { seq } = JSON.parse(lines.at(-1) ?? '') as { readonly seq: number }
    const slipped = (lines[1] ?? '').replace('"seq":1', `"seq":${seq + 1}`)
    const { problem } = verifyLog(changed((all) => void all.push(slipped)))
    expect(problem?.message).toBe('the file before it ends without a seal')
  })

  test('names file and line of the first thing that does not fit', () => {
    const { problem, records } = verifyLog(
      changed((all) => void (all[6] = (all[6] ?? '').replace('ada', 'eve'))),
    )
    expect(problem).toEqual({
      file: 'decisions-000001.jsonl',
      line: 9,
      message: 'the seal does not fit the 3 records before it (from 4)',
    })
    expect(records).toBe(3)
  })

  test('finds any single changed byte, wherever it is', () => {
    fc.assert(
      fc.property(fc.nat(first.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const bytes = Uint8Array.from(first.bytes)
        bytes[at] = ((bytes[at] ?? 0) + by) % 256
        return !verifyLog([{ ...first, bytes }, ...files.slice(1)]).ok
      }),
      { numRuns: 300 },
    )
  })

  test('finds an end that was cut off cleanly, with a seal kept elsewhere', () => {
    const cut = [first]
    expect(verifyLog(cut).ok).toBe(true)
    expect(verifyLog(cut, { heads }).problem?.message).toMatch(
      /but record \d+ was sealed: its end is cut off/,
    )
  })

  test('finds a log rewritten as a whole, with a seal kept elsewhere or a key', () => {
    const forged = open()
    for (let index = 0; index < 90; index += 1) forged.log.append(entry(`forged${index}`))
    forged.turn()
    const forgedFiles = readLogFolder(forged.folder)
    expect(verifyLog(forgedFiles).ok).toBe(true)
    expect(verifyLog(forgedFiles, { heads: heads.slice(-1) }).problem?.message).toContain(
      'the log is rewritten',
    )
    expect(verifyLog(forgedFiles, { key: new Uint8Array(32) }).ok).toBe(false)
    const key = new Uint8Array(32).fill(7)
    const keyed = readLogFolder(filled({ key }).folder)
    expect([verifyLog(keyed, { key }).ok, verifyLog(keyed).ok]).toEqual([true, false])
  })
})
