/** Something that waits for a worker. */
export interface Job {
  /** Called once, when a worker is free. The worker is held until `release`. */
  start(nowMs: number): void
  /** Whether nobody wants it any more: then it is dropped instead of started. */
  isGone(): boolean
}

/**
 * A fixed number of workers with a first-in first-out queue: the only thing in a simulated service that makes anybody
 * wait. Its slowness comes from load alone, so that controls can win or lose against it.
 */
export class WorkerPool {
  readonly #queue: Job[] = []
  readonly #maxQueue: number
  #head = 0
  #workers: number
  #busy = 0
  /** The longest that the queue has been. */
  maxQueued: number = 0

  constructor(workers: number, maxQueue: number) {
    this.#workers = workers
    this.#maxQueue = maxQueue
  }

  get busy(): number {
    return this.#busy
  }

  /** Whether no worker is free. */
  get isFull(): boolean {
    return this.#busy >= this.#workers
  }

  get queued(): number {
    return this.#queue.length - this.#head
  }

  /** Starts `job` or lets it wait; `false` when the queue is full. */
  take(job: Job, nowMs: number): boolean {
    if (this.#busy < this.#workers) {
      this.#busy++
      job.start(nowMs)
      return true
    }
    if (this.queued >= this.#maxQueue) return false
    this.#queue.push(job)
    this.maxQueued = Math.max(this.maxQueued, this.queued)
    return true
  }

  release(nowMs: number): void {
    this.#busy--
    this.#startNext(nowMs)
  }

  /** Fewer workers finish what they have begun. This is how a service runs out of connections to its database. */
  setWorkers(workers: number, nowMs: number): void {
    this.#workers = workers
    this.#startNext(nowMs)
  }

  #startNext(nowMs: number): void {
    while (this.#busy < this.#workers && this.queued > 0) {
      const job = this.#queue[this.#head++]
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue.splice(0, this.#head)
        this.#head = 0
      }
      if (job === undefined || job.isGone()) continue
      this.#busy++
      job.start(nowMs)
    }
  }
}
