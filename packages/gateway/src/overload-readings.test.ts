import { closeSync, openSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { openProcessReadings } from './overload-readings.ts'

describe.runIf(process.platform === 'linux')('the readings of this process', () => {
  it('see every descriptor that is opened and closed', () => {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    using readings = openProcessReadings()
    const open = (): number => Math.round((readings.read().descriptorRatio ?? Number.NaN) * limit)
    const before = open()
    const files = Array.from({ length: 40 }, () => openSync('/dev/null', 'r'))
    const during = open()
    for (const file of files) closeSync(file)
    expect(during - before).toBe(40)
    expect(open()).toBe(before)
  })
})
