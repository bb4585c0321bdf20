// Puts a bundle in its place, and is killed by itself before the rename that it was told.
import { readFileSync, renameSync } from 'node:fs'
import { BundleFile } from '../../src/bundle/bundle-file.ts'

const [path = '', bundle = '', renames = ''] = process.argv.slice(2)
let left = Number(renames)
const rename = (from: string, to: string): void => {
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  left -= 1
  renameSync(from, to)
}
new BundleFile(path, { rename }).put(readFileSync(bundle), { name: 'shop', version: 2 })
