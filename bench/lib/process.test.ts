import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { which } from './process.ts'

const SCRIPT = `
  import { readFileSync } from 'node:fs'
  import { pinSelf } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))}
  const cores = () => /^Cpus_allowed_list:\\s+(\\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  const before = cores()
  {
    using pinned = pinSelf(Number.parseInt(before))
    console.log(cores() === String(Number.parseInt(before)))
  }
  console.log(cores() === before)
  process.env.PATH = '/nowhere'
  try { pinSelf(0) } catch (error) { console.log(error.message) }
`

const hasTaskset = which('taskset') !== undefined

test.runIf(hasTaskset)(
  'a bench that stood on one core has all of them back, and says why when it cannot move',
  () => {
    const { stdout } = spawnSync(process.execPath, [
      '--conditions=source',
      '--input-type=module',
      '-e',
      SCRIPT,
    ])
    expect(stdout.toString().split('\n')).toEqual([
      'true',
      'true',
      'cannot move the bench to core 0: spawnSync taskset ENOENT',
      '',
    ])
  },
)
