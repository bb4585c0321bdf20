import { PLACES } from './inbox.ts'
import { EBADF, systemError } from './libc.ts'
import type { Libc, Memory } from './libc.ts'
import type { Outbox } from './outbox.ts'
import type { NetTurns } from '../net/turns.ts'

export const EPOLLIN = 0x1
export const EPOLLOUT = 0x4
export const EPOLLERR = 0x8
export const EPOLLHUP = 0x10
export const EPOLLRDHUP = 0x2000
/** Edge-triggered: told once for each change, so that nothing has to be registered again. */
export const EPOLLET = 0x8000_0000

const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CLOEXEC = 0x8_0000
const UV_POLL = 8
const UV_READABLE = 1
/** Events taken in one go. */
const MAX_EVENTS = 64
/**
 * So often events are taken before timers and others have their turn: under load the next ones are there already, and a whole
 * iteration of the loop costs as much as several of them.
 */
const MAX_ROUNDS = 32
/** No further round begins when the ones before took so long. Milliseconds. */
const MAX_ROUNDS_MS = 5

/** Struct epoll_event: on x64 it is packed. */
const EVENT_WORDS = process.arch === 'x64' ? 3 : 4
const SLOT_WORD = process.arch === 'x64' ? 1 : 2

/** libuv writes into the memory of a handle until it has closed it, whatever became of who opened it. */
const handles = new Set<Memory>()

/** Who is told that a descriptor is ready. @internal */
export interface Pollable {
  /** Reads into a place of the inbox and tells nobody: `onReady` follows. Left out by those who read no bytes. */
  readAhead?(events: number, place: number): void
  /** `events` are epoll's; 0 when it had asked to be called again. `place` of the inbox is its own until this returns. */
  onReady(events: number, place: number): void
}

/**
 * An epoll instance of our own inside the event loop of Node: libuv watches it as one descriptor and wakes up, then the check
 * phase of the same iteration takes the events. So timers, promises and other sockets keep their turns, and nobody blocks.
 * @internal
 */
export class Poller {
  readonly #libc: Libc
  readonly #turns: NetTurns
  readonly #outbox: Outbox
  readonly #epoll: number
  readonly #events: Memory
  readonly #words: Int32Array
  readonly #change: Memory
  readonly #changeWords: Int32Array
  readonly #handle: Memory
  // By slot. The generation tells an event of a descriptor that was closed meanwhile from one of its successor.
  readonly #pollables: (Pollable | undefined)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []
  #again: Pollable[] = []
  #watched = 0
  #immediate: NodeJS.Immediate | undefined
  #isClosed = false

  /** @throws what the system says, such as EMFILE. */
  constructor(libc: Libc, turns: NetTurns, outbox: Outbox) {
    this.#libc = libc
    this.#turns = turns
    this.#outbox = outbox
    this.#epoll = libc.epoll_create1(EPOLL_CLOEXEC)
    if (this.#epoll < 0) throw systemError(libc.errno(), 'epoll_create1')
    this.#events = libc.allocate(MAX_EVENTS * EVENT_WORDS * 4)
    this.#words = wordsOf(this.#events)
    this.#change = libc.allocate(EVENT_WORDS * 4)
    this.#changeWords = wordsOf(this.#change)
    this.#handle = libc.allocate(libc.uv_handle_size(UV_POLL))
    const failure = libc.uv_poll_init(libc.currentEventLoop, this.#handle.pointer, this.#epoll)
    if (failure !== 0) {
      libc.close(this.#epoll)
      throw systemError(-failure, 'uv_poll_init')
    }
    handles.add(this.#handle)
    libc.uv_unref(this.#handle.pointer)
  }

  /** Returns the slot. @throws what the system says; EBADF when this is closed. */
  add(descriptor: number, events: number, pollable: Pollable): number {
    if (this.#isClosed) throw systemError(EBADF, 'epoll_ctl')
    const slot = this.#free.pop() ?? this.#pollables.length
    const generation = this.#generations[slot] ?? 0
    const words = this.#changeWords
    words[0] = events
    words[SLOT_WORD] = slot
    words[SLOT_WORD + 1] = generation
    this.#generations[slot] = generation
    this.#pollables[slot] = pollable
    if (this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, descriptor, this.#change.pointer) !== 0) {
      const errno = this.#libc.errno()
      this.#release(slot)
      throw systemError(errno, 'epoll_ctl')
    }
    if (this.#watched++ === 0) this.#start()
    return slot
  }

  /** Somebody else owns the descriptor from now on. */
  replace(slot: number, pollable: Pollable): void {
    this.#pollables[slot] = pollable
  }

  /** Before the descriptor is closed. */
  remove(slot: number, descriptor: number): void {
    // A child process that is being started may hold the descriptor for a while: closing it would not end its events.
    this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, descriptor, this.#change.pointer)
    this.#release(slot)
    if (--this.#watched === 0) this.#stop()
  }

  /** Calls `onReady(0)` in a later turn. */
  again(pollable: Pollable): void {
    this.#again.push(pollable)
    this.#immediate?.ref()
  }

  close(): void {
    if (this.#isClosed) return
    this.#stop()
    this.#isClosed = true
    this.#libc.uv_close(this.#handle.pointer, 0n)
    this.#libc.close(this.#epoll)
    // libuv lets go of it at the end of this iteration.
    setImmediate(() => setImmediate(() => handles.delete(this.#handle)))
  }

  #start(): void {
    const wakeUp = this.#libc.addressOf('uv_version')
    // Any function would do that takes no notice of its arguments: that the loop woke up is all we need.
    this.#libc.uv_poll_start(this.#handle.pointer, UV_READABLE, wakeUp)
    this.#libc.uv_ref(this.#handle.pointer)
    this.#arm()
  }

  #stop(): void {
    if (this.#isClosed) return
    this.#libc.uv_poll_stop(this.#handle.pointer)
    this.#libc.uv_unref(this.#handle.pointer)
    clearImmediate(this.#immediate)
    this.#immediate = undefined
  }

  /** An immediate that does not keep the loop busy runs whenever the loop has woken up for something. */
  #arm(): void {
    this.#immediate = setImmediate(this.#check).unref()
  }

  readonly #check = (): void => {
    this.#arm()
    const untilMs = this.#turns.clock.now() + MAX_ROUNDS_MS
    this.#outbox.beginRound()
    if (this.#again.length > 0) this.#repeat()
    for (let round = 0; round < MAX_ROUNDS && this.#takeEvents(); round++) {
      this.#outbox.flush()
      if (this.#turns.nowMs > untilMs) break
    }
    this.#outbox.endRound()
  }

  #repeat(): void {
    const again = this.#again
    this.#again = []
    for (const pollable of again) this.#tell(pollable, 0, 0)
  }

  /** Returns whether there were any. */
  #takeEvents(): boolean {
    if (this.#isClosed) return false
    const count = this.#libc.epoll_wait(this.#epoll, this.#events.pointer, MAX_EVENTS, 0)
    for (let from = 0; from < count; from += PLACES) {
      const to = Math.min(count, from + PLACES)
      for (let at = from; at < to; at++) this.#pollableOf(at)?.readAhead?.(this.#eventsOf(at), at - from)
      for (let at = from; at < to; at++) {
        const pollable = this.#pollableOf(at)
        if (pollable !== undefined) this.#tell(pollable, this.#eventsOf(at), at - from)
      }
    }
    return count > 0
  }

  #eventsOf(at: number): number {
    return this.#words[at * EVENT_WORDS] as number
  }

  /** Undefined when its descriptor has been closed since. */
  #pollableOf(at: number): Pollable | undefined {
    const word = at * EVENT_WORDS + SLOT_WORD
    const slot = this.#words[word] as number
    return this.#generations[slot] === this.#words[word + 1] ? this.#pollables[slot] : undefined
  }

  #tell(pollable: Pollable, events: number, place: number): void {
    try {
      this.#turns.begin()
      try {
        pollable.onReady(events, place)
      } finally {
        this.#turns.finish()
      }
    } catch (error) {
      // The others of this round are told only once, so they must not miss it.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #release(slot: number): void {
    this.#pollables[slot] = undefined
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) | 0
    this.#free.push(slot)
  }
}

function wordsOf({ bytes }: Memory): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
