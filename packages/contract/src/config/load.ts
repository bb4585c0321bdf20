import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { failed, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'

import { errors } from '../errors.ts'
import type { Environment } from './environment.ts'
import type { ConfigProblem } from './problem.ts'
import { resolveObject, resolveText } from './resolve.ts'
import type { ConfigResult } from './resolve.ts'
import type { SecretReference } from './schema/secret.ts'

/** Looked for in this order when no file is named. */
const USUAL_NAMES = [
  'breakwater.yaml',
  'breakwater.yml',
  'breakwater.config.ts',
  'breakwater.config.js',
] as const

/** Finds the configuration: the named file, or the usual one in the folder. A missing file is a problem with a fix. */
export function findConfigFile(named: string | undefined, folder: string): Result<string, ConfigProblem> {
  const found = named ?? USUAL_NAMES.find((name) => existsSync(resolve(folder, name)))
  if (found !== undefined && existsSync(resolve(folder, found))) return ok(resolve(folder, found))
  return failed({
    file: found ?? USUAL_NAMES[0],
    path: '',
    code: 'BW_CONFIG_FILE_MISSING',
    message: found === undefined ? `there is no configuration in ${folder}` : 'there is no such file',
    fix: 'Name an existing file with --config, or create breakwater.yaml: a listener, an upstream and a route are enough.',
  })
}

/**
 * Loads `breakwater.yaml`, or the default export of `breakwater.config.ts`. Relative file names in it start from its
 * folder. A module is loaded anew when its file has changed; its imports are not.
 *
 * Never throws: what is wrong is in the result.
 */
export async function loadConfig(file: string, environment: Environment = {}): Promise<ConfigResult> {
  const path = resolve(file)
  const options = { file: displayName(path), baseDir: dirname(path), environment }
  if (/\.[cm]?[jt]s$/.test(path)) return loadModule(path, options)
  try {
    return resolveText(readFileSync(path, 'utf8'), options)
  } catch (error) {
    return unreadable(options.file, error)
  }
}

async function loadModule(
  path: string,
  options: { readonly file: string; readonly baseDir: string; readonly environment: Environment },
): Promise<ConfigResult> {
  try {
    const version = statSync(path).mtimeMs
    const module = (await import(`${pathToFileURL(path).href}?${version}`)) as { readonly default?: unknown }
    if (module.default !== undefined) return resolveObject(module.default, options)
    return failed([
      {
        file: options.file,
        path: '',
        code: 'BW_CONFIG_MODULE_FAILED',
        message: 'the module has no default export',
        fix: 'Write: export default defineConfig({ … }).',
      },
    ])
  } catch (error) {
    if (isMissing(error, path)) return unreadable(options.file, error)
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    const fix = `Run: node ${options.file}, and repair what it reports.`
    const message = `the module cannot be loaded: ${reason}`
    return failed([{ file: options.file, path: '', code: 'BW_CONFIG_MODULE_FAILED', message, fix }])
  }
}

function isMissing(error: unknown, path: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ENOENT' &&
    error.message.includes(basename(path))
  )
}

function unreadable(file: string, error: unknown): ConfigResult {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'this is a folder',
    EACCES: 'the file may not be read',
  }
  const message = reasons[code] ?? `the file cannot be read (${code})`
  return failed([
    { file, path: '', code: 'BW_CONFIG_FILE_MISSING', message, fix: 'Name an existing file with --config.' },
  ])
}

function displayName(path: string): string {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') || isAbsolute(near) ? path : near
}

/**
 * Reads the secret that a reference names, without a line break at its end. Call it when the secret is needed and do
 * not keep it longer.
 *
 * @throws `BW_CONFIG_SECRET_MISSING` when the variable is not set or empty, or the file cannot be read.
 */
export function readSecret(reference: SecretReference, environment: Environment = process.env): string {
  if (reference.kind === 'env') {
    const value = environment[reference.name]
    if (value !== undefined && value !== '') return value
    throw errors.BW_CONFIG_SECRET_MISSING(`the variable ${reference.name} is not set`)
  }
  let text: string
  try {
    text = readFileSync(reference.file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw errors.BW_CONFIG_SECRET_MISSING(`the file ${reference.file} cannot be read`, { cause })
  }
  if (text !== '') return text
  throw errors.BW_CONFIG_SECRET_MISSING(`the file ${reference.file} is empty`)
}
