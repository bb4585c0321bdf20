/**
 * The `breakwater` command, as a process.
 *
 * Exit codes: 0 all is well · 1 it failed, or what was checked is not well · 2 wrong usage or configuration.
 *
 * @module
 */
import process from 'node:process'

import { runProgram } from './program.ts'

const code = await runProgram(process.argv.slice(2), (text) => void process.stderr.write(text))
if (code !== undefined) process.exitCode = code
