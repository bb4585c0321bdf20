import { FieldList } from '../../src/fields.ts'
import type { Upgraded } from '../../src/internal/upgraded.ts'
import type { RequestInit, ResponseHead } from '../../src/messages.ts'
import type { FailureProgress, ResponseHandler } from '../../src/client/handler.ts'
import type { PoolOptions } from '../../src/client/options.ts'
import { UpstreamPool } from '../../src/client/pool.ts'
import { MemoryDriver } from './memory-transport.ts'
import type { MemoryTransport } from './memory-transport.ts'

/** A small answer. */
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Remembers what a handler was told. */
export class Answer implements ResponseHandler {
  head: ResponseHead | undefined
  early: number[] = []
  body = ''
  trailers: FieldList | undefined
  ended = 0
  code = ''
  progress: FailureProgress | undefined
  writable = 0
  upgraded: Upgraded | undefined

  onInformational(head: ResponseHead): void {
    this.early.push(head.status)
  }
  onHead(head: ResponseHead): void {
    this.head = head
  }
  onData(chunk: Uint8Array): void {
    this.body += Buffer.from(chunk).toString()
  }
  onEnd(trailers: FieldList | undefined): void {
    this.ended++
    this.trailers = trailers
  }
  onError(error: { code: string }, progress: FailureProgress): void {
    this.code += error.code
    this.progress = progress
  }
  onWritable(): void {
    this.writable++
  }
  onUpgrade(head: ResponseHead, upgraded: Upgraded): void {
    this.head = head
    this.upgraded = upgraded
  }
}

/** A plain GET, changed as wanted. */
export function init(change: Partial<RequestInit> = {}): RequestInit {
  return {
    method: 'GET',
    target: '/',
    authority: 'catalog',
    fields: new FieldList(),
    framing: { kind: 'none' },
    ...change,
  }
}

/** A pool over a driver whose connections the test opens. */
export function start(options: PoolOptions = {}) {
  const driver = new MemoryDriver()
  const pool = new UpstreamPool(driver, { host: 'catalog', port: 80 }, options)
  const send = (request: RequestInit = init()) => {
    const answer = new Answer()
    return { answer, exchange: pool.send(request, answer, driver.nowMs) }
  }
  /** A connection that has served one request and is idle. */
  const warm = (): MemoryTransport => {
    send()
    const transport = driver.connects.at(-1)!.open()
    transport.receive(OK)
    transport.take()
    return transport
  }
  return { driver, pool, send, warm }
}
