/** One thing to measure. A runner calls `run` with growing `n`, divides time and allocated bytes by `n`, and prints peers side by side. */
export interface BenchCase {
  /** What is measured; the same for a case and its peers. */
  readonly name: string
  /** The library measured, when it is not ours. */
  readonly peer?: string
  /** Does it `n` times. */
  run(n: number): void | Promise<void>
}
