import { createRandom, isBreakwaterError } from '@breakwater/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkStatus,
  serializeLastChunk,
  serializeRequestHead,
  serializeResponseHead,
} from '../src/codec/serialize.ts'
import { FieldList } from '../src/fields.ts'
import { compareRequests, compareResponses } from './support/disagreement.ts'
import { Grammar } from './support/grammar.ts'
import { mutate } from './support/mutate.ts'
import { latin1, readRequests, readResponses } from './support/reading.ts'
import type { Message } from './support/reading.ts'

const INPUTS = 6000

/** Connection and framing fields have one author, the serialiser: they are not part of what must survive. */
const OWN =
  /^(connection|content-length|expect|host|keep-alive|proxy-connection|transfer-encoding|upgrade|http2-settings|te|trailer|via): /

const kept = (message: Message): object => ({
  start: message.start,
  fields: message.fields.filter((line) => !OWN.test(line)),
  trailers: message.trailers.filter((line) => !OWN.test(line)),
  body: message.body,
})

const listOf = (lines: readonly string[]): FieldList =>
  FieldList.from(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )

function chunksOf(message: Message): string {
  const middle = message.body.length >> 1
  const parts = [message.body.slice(0, middle), message.body.slice(middle)].filter((part) => part !== '')
  const trailers = message.trailers.length === 0 ? undefined : listOf(message.trailers)
  return `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}${serializeLastChunk(trailers)}`
}

const needsChunks = (message: Message): boolean =>
  message.trailers.length > 0 || message.fields.some((line) => line.startsWith('transfer-encoding'))

function writeRequest(message: Message): string {
  const [method, target] = message.start.split(' ') as [string, string]
  const authority = message.fields.find((line) => line.startsWith('host: '))?.slice(6) ?? 'a'
  const isChunked = needsChunks(message)
  const framing = isChunked
    ? ({ kind: 'chunked' } as const)
    : ({ kind: 'length', bytes: message.body.length } as const)
  const head = serializeRequestHead({ method, target, authority, fields: listOf(message.fields), framing })
  return head + (isChunked ? chunksOf(message) : message.body)
}

function writeResponse(message: Message, method: string): string {
  const status = Number(message.start)
  const isBodiless = method === 'HEAD' || status === 204 || status === 304
  const isChunked = !isBodiless && needsChunks(message)
  const framing = isChunked
    ? ({ kind: 'chunked' } as const)
    : isBodiless
      ? ({ kind: 'none' } as const)
      : ({ kind: 'length', bytes: message.body.length } as const)
  const head = serializeResponseHead(status, '', listOf(message.fields), framing, 'none')
  return head + (isChunked ? chunksOf(message) : message.body)
}

const whole = (bytes: Uint8Array): Uint8Array[] => [bytes]

describe('what is read and written again', () => {
  test('is the same request for us, and framed the same by llhttp', () => {
    let count = 0
    for (let input = 0; input < INPUTS; input++) {
      const random = createRandom(input)
      const written = new Grammar(random).requests()
      const text = random() < 0.3 ? mutate(written, random) : written
      const read = readRequests([latin1(text)]).messages.filter(({ isComplete }) => isComplete)
      if (read.length === 0) continue
      const again = read.map(writeRequest).join('')
      const { disagreement } = compareRequests(again, whole)
      const ours = readRequests([latin1(again)])
      expect({ text, again, disagreement, refused: ours.refusedWith }).toEqual({ text, again })
      expect(ours.messages.map(kept)).toEqual(read.map(kept))
      count += read.length
    }
    expect(count).toBeGreaterThan(INPUTS / 4)
  })

  test('is the same response for us, and framed the same by llhttp', () => {
    let count = 0
    for (let input = 0; input < INPUTS; input++) {
      const random = createRandom(input)
      const grammar = new Grammar(random)
      const methods = grammar.methods()
      const written = grammar.responses(methods)
      const text = random() < 0.3 ? mutate(written, random) : written
      const read = readResponses([latin1(text)], { methods }).messages.filter(
        ({ isComplete, start }) => isComplete && !start.startsWith('1'),
      )
      if (read.length === 0) continue
      const again = read.map((message, index) => writeResponse(message, methods[index] ?? 'GET')).join('')
      const { disagreement } = compareResponses(again, methods, whole)
      const ours = readResponses([latin1(again)], { methods })
      expect({ text, again, disagreement, refused: ours.refusedWith }).toEqual({ text, again })
      expect(ours.messages.map(kept)).toEqual(read.map(kept))
      count += read.length
    }
    expect(count).toBeGreaterThan(INPUTS / 4)
  })
})

/** Text that somebody may try to put into a head: controls, separators, and characters that have no latin1 byte. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '\0',
      '\u010a',
      '\u010d',
      '\ud83d\ude00',
      ' ',
      ':',
      '\t',
      '\x7f',
      '\u00e9',
    ),
    fc.constantFrom('a', 'b', 'X', 'Y', '0', '9', '-', '_', '/'),
  ),
  maxLength: 12,
})

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make()
  } catch (error) {
    expect(isBreakwaterError(error)).toBe(true)
    return undefined
  }
}

describe('a serialised head', () => {
  test('holds one request, whatever is put into its fields, method, target and authority', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, nasty, (method, target, authority, name, value) => {
        const text = attempt(() =>
          serializeRequestHead({
            method,
            target: `/${target}`,
            authority: `a${authority}`,
            fields: FieldList.from([[`x${name}`, value]]),
            framing: { kind: 'none' },
          }),
        )
        if (text === undefined) return
        const { messages, refusedWith } = readRequests([Buffer.from(text, 'latin1')])
        expect(messages.length + (refusedWith === undefined ? 0 : 1)).toBe(1)
        expect(text.match(/[\r\n]/g)).toHaveLength(8)
        expect(text.endsWith('\r\n\r\n')).toBe(true)
      }),
      { numRuns: 2000, seed: 1 },
    )
  })

  test('holds one response, whatever is put into its fields and its reason', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, (reason, name, value) => {
        const text = attempt(() => {
          checkStatus(200, reason)
          const fields = FieldList.from([[`x${name}`, value]])
          return serializeResponseHead(200, reason, fields, { kind: 'length', bytes: 0 }, 'none')
        })
        if (text === undefined) return
        const { messages, refusedWith } = readResponses([Buffer.from(text, 'latin1')])
        expect([messages.length, refusedWith]).toEqual([1, undefined])
        expect(text.match(/[\r\n]/g)).toHaveLength(8)
      }),
      { numRuns: 2000, seed: 1 },
    )
  })
})
