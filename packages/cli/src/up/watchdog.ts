import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { extname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Guards services against the sudden death of this process. It notices by the end of its IPC channel. */
export class Watchdog implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
  }

  static start(): Watchdog {
    const file = fileURLToPath(new URL(`./watchdog-main${extname(import.meta.filename)}`, import.meta.url))
    const child = spawn(process.execPath, ['--conditions=source', '--max-old-space-size=32', file], {
      // A group of its own: what ends this process by its group must not end the watchdog with it.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.unref()
    child.channel?.unref()
    return new Watchdog(child)
  }

  /** The processes that must not outlive this one. */
  guard(pids: readonly number[]): void {
    if (this.#child.connected) this.#child.send(pids, () => {})
  }

  /** Nothing is left to guard. Waits until the watchdog is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.guard([])
    // Only now may it keep this process alive.
    this.#child.ref()
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited
  }
}
