import { rawJson } from '../engine/exact-json.ts'
import { readJsonAs, type JsonObjectOf, type JsonOf, type JsonReading } from './json-reader.ts'

/** A number as it was written; `JSON.stringify` writes it back digit by digit. */
export interface ExactNumber {
  readonly rawJSON: string
}

/** JSON as whoever wrote it means it: nothing is lost when `JSON.stringify` writes it back. */
export type JsonDocument = JsonOf<number | ExactNumber>
export type JsonDocumentObject = JsonObjectOf<number | ExactNumber>

/** Whole numbers of at most 15 digits: a double holds them, and they are written back as they came. */
const PLAIN = /^(?:0|-?[1-9]\d{0,14})$/

const READING: JsonReading<number | ExactNumber> = {
  number: (digits) => (PLAIN.test(digits) ? Number(digits) : rawJson(digits)),
  mayBeIllFormed: true,
}

/**
 * Reads any JSON without losing a digit. Refuses what two readers may understand in two ways (duplicate keys), and nesting deeper
 * than 128.
 *
 * @throws `BW_AUTHZ_DATA_INVALID` with the offset of the first fault.
 */
export function readDocument(text: string): JsonDocument {
  return readJsonAs(text, READING)
}

/** The digits of a number as they were written; undefined for anything else. */
export function digitsOf(value: JsonDocument | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return isExactNumber(value) ? value.rawJSON : undefined
}

/** Whether a value is an object of the document: no list and no number. */
export function isDocumentObject(value: JsonDocument | undefined): value is JsonDocumentObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
}

/** What stands at a place, named from the outside in; undefined when there is nothing. */
export function valueIn(document: JsonDocument, place: readonly string[]): JsonDocument | undefined {
  let value: JsonDocument | undefined = document
  for (const name of place)
    value = isDocumentObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

/** Whether a value stands for a number, although it is an object. */
export function isExactNumber(value: unknown): value is ExactNumber {
  return isRawJson(value)
}

const isRawJson: (value: unknown) => boolean = Reflect.get(JSON, 'isRawJSON')
