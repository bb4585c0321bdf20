/**
 * Lines as somebody says them, and whoever waits for one. Keeps the last `maxLines` (default: all of them).
 *
 * Waiting takes a timer of the process: for processes that are watched, not for the data path.
 */
export class LineWaiter {
  readonly lines: string[] = []
  readonly #maxLines: number
  readonly #watchers = new Set<() => void>()
  #ending: string | undefined

  constructor(maxLines: number = Infinity) {
    this.#maxLines = maxLines
  }

  push(line: string): void {
    this.lines.push(line)
    if (this.lines.length > this.#maxLines) this.lines.shift()
    this.#notify()
  }

  /** No more will come. `ending` says how it ended: `code 3`. */
  end(ending: string): void {
    this.#ending = ending
    this.#notify()
  }

  /**
   * The first line, past or to come, that matches.
   *
   * @throws what `failure` makes of `ended (code 3) before printing /ready/`, when the end or `timeoutMs` comes first.
   */
  async waitFor(pattern: RegExp, timeoutMs: number, failure: (what: string) => Error): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const fail = (what: string): void => reject(failure(`${what} printing ${pattern}`))
    const look = (): void => {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) resolve(found)
      else if (this.#ending !== undefined) fail(`ended (${this.#ending}) before`)
    }
    const timer = setTimeout(() => fail(`spent ${timeoutMs} ms without`), timeoutMs)
    this.#watchers.add(look)
    try {
      look()
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
