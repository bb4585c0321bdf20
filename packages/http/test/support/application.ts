import type { Clock, Random } from '@breakwater/core'
import { FieldList } from '../../src/index.ts'
import type { ServerExchange, ServerHandler } from '../../src/index.ts'

/** How the application treats the body of a request. */
export type BodyHabit = 'reads' | 'pauses' | 'answers early' | 'never reads'

export interface Habits {
  /** Chance that an exchange is cut by the application in the middle of its answer. 0–1. */
  readonly abortRatio: number
  readonly bodies: readonly BodyHabit[]
  /** Longest pause before an answer, and between its parts. Milliseconds. */
  readonly maxDelayMs: number
  readonly maxAnswerBytes: number
}

/** What happened to one exchange. */
export interface Episode {
  /** The target of its request, which is its name. */
  readonly id: string
  readonly exchange: ServerExchange
  received: string
  bodyEnds: number
  bodyAborts: number
  aborts: number
  isCut: boolean
}

/** The text that stands for the body of a message: anybody can tell whose it is and whether it is whole. */
export function textOf(id: string, bytes: number): string {
  return `${id}.`.repeat(Math.ceil(bytes / (id.length + 1))).slice(0, bytes)
}

/** A server application with seeded moods. It breaks no rule of `ServerExchange`, and notes when the engine breaks one. */
export class Application implements ServerHandler {
  readonly episodes: Episode[] = []
  readonly wrongs: string[] = []
  refusals = 0
  readonly #clock: Clock
  readonly #random: Random
  readonly #habits: Habits

  constructor(clock: Clock, random: Random, habits: Habits) {
    this.#clock = clock
    this.#random = random
    this.#habits = habits
  }

  onRefused(): void {
    this.refusals++
  }

  onRequest(exchange: ServerExchange): void {
    const id = exchange.request.target
    const episode: Episode = {
      id,
      exchange,
      received: '',
      bodyEnds: 0,
      bodyAborts: 0,
      aborts: 0,
      isCut: false,
    }
    this.episodes.push(episode)
    exchange.onAbort = () => {
      if (episode.aborts++ > 0) this.wrongs.push(`${id}: aborted twice`)
    }
    const habit = this.#habits.bodies[Math.floor(this.#random() * this.#habits.bodies.length)]
    if (habit === 'never reads') this.#answer(episode)
    else this.#read(episode, habit === 'pauses', () => habit === 'answers early' || this.#answer(episode))
    if (habit === 'answers early') this.#answer(episode)
  }

  #read(episode: Episode, pauses: boolean, then: () => void): void {
    const { exchange, id } = episode
    const isOver = (): boolean => episode.bodyEnds + episode.bodyAborts > 0
    exchange.readBody({
      onData: (chunk) => {
        if (isOver()) this.wrongs.push(`${id}: data after the end of the body`)
        episode.received += Buffer.from(chunk).toString('latin1')
        if (!pauses || this.#random() < 0.5) return
        exchange.pauseBody()
        this.#later(() => exchange.resumeBody())
      },
      onEnd: () => {
        if (isOver()) this.wrongs.push(`${id}: the body ended twice`)
        episode.bodyEnds++
        then()
      },
      onAbort: () => {
        if (isOver()) this.wrongs.push(`${id}: the body was aborted after its end`)
        episode.bodyAborts++
      },
    })
  }

  #answer(episode: Episode): void {
    if (this.#random() < 0.4) this.#begin(episode)
    else this.#later(() => this.#begin(episode))
  }

  #begin(episode: Episode): void {
    const { exchange, id } = episode
    const bytes = Math.floor(this.#random() ** 4 * this.#habits.maxAnswerBytes)
    if (this.#random() < 0.2) exchange.sendInformational(103, FieldList.from([['link', id]]))
    const framing =
      this.#random() < 0.5 ? ({ kind: 'chunked' } as const) : ({ kind: 'length', bytes } as const)
    exchange.sendHead(
      200,
      FieldList.from([
        ['x-id', id],
        ['x-bytes', String(bytes)],
      ]),
      framing,
    )
    episode.isCut = this.#random() < this.#habits.abortRatio
    this.#continue(episode, Buffer.from(textOf(id, bytes)))
  }

  #continue(episode: Episode, rest: Uint8Array): void {
    const { exchange } = episode
    let left = rest
    while (left.length > 0) {
      if (episode.isCut && this.#random() < 0.3) {
        exchange.abort()
        return
      }
      const size = 1 + Math.floor(this.#random() * Math.min(left.length, 30_000))
      // The engine may read the bytes until the turn ends, not longer: `slice` gives it bytes of its own.
      const isOpen = exchange.sendData(left.slice(0, size))
      left = left.subarray(size)
      const next = left
      if (!isOpen) {
        exchange.onWritable = () => {
          exchange.onWritable = undefined
          this.#continue(episode, next)
        }
        return
      }
      if (this.#random() < 0.2) {
        this.#later(() => this.#continue(episode, next))
        return
      }
    }
    if (episode.isCut) exchange.abort()
    else exchange.sendEnd()
  }

  #later(task: () => void): void {
    this.#clock.schedule(this.#random() * this.#habits.maxDelayMs, task)
  }
}
