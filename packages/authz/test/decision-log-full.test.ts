import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DecisionLog, readLogFolder, verifyLog } from '../src/operate.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-log-full-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.skipIf(process.platform === 'win32')(
  'takes back a write that the disk stopped half-way, and goes on later',
  () => {
    // 12 KiB: the third turn fits in part. The kernel writes what fits and then refuses.
    const script = join(import.meta.dirname, 'support/full-disk-process.ts')
    const command = `ulimit -f 12 && exec "${process.execPath}" "${script}" "${folder}"`
    const said = execFileSync('bash', ['-c', command], { encoding: 'utf8' }).trim().split('\n')
    expect(said).toEqual(['written', 'written', 'failed', 'failed'])
    expect(verifyLog(readLogFolder(folder))).toMatchObject({ ok: true, records: 82, unsealedBytes: 0 })
    const log = new DecisionLog({ folder })
    expect(log.head.seq).toBe(82)
    log.close()
  },
)
