import { createHmac, hash } from 'node:crypto'

/*
 * The file, line by line (JSON each, UTF-8, \n):
 *   {"log":"breakwater-decisions-1","file":1,"chain":"<seal before>"}       first line of every file
 *   {"seq":1,…}                                                            records
 *   {"seal":"<hash>","seq":1,"records":1}                                  closes a batch
 * A seal is the hash of the seal before and every byte since. It covers the first line of its file too.
 */

/** The seal before the first. */
export const NO_SEAL: string = '0'.repeat(64)

/** Hashes batches into a chain. With a key nobody without it can write a chain that fits. */
export class Chain {
  readonly #key: Uint8Array | undefined
  #seal: string

  constructor(seal: string, key?: Uint8Array) {
    this.#seal = seal
    this.#key = key
  }

  get seal(): string {
    return this.#seal
  }

  /** The seal of these bytes after the seal before; moves the chain on. */
  next(bytes: string | Uint8Array): string {
    const before = `${this.#seal}\n`
    const hmac = this.#key === undefined ? undefined : createHmac('sha256', this.#key)
    // In one call: a hash object costs as much as hashing several records.
    this.#seal =
      hmac === undefined
        ? hash(
            'sha256',
            Buffer.concat([Buffer.from(before), typeof bytes === 'string' ? Buffer.from(bytes) : bytes]),
          )
        : hmac.update(before).update(bytes).digest('hex')
    return this.#seal
  }
}

/** The last line of a batch. */
export function sealLine(seal: string, seq: number, records: number): string {
  return `${JSON.stringify({ seal, seq, records })}\n`
}

/** The first line of a file. */
export function headLine(file: number, seal: string): string {
  return `${JSON.stringify({ log: 'breakwater-decisions-1', file, chain: seal })}\n`
}

/** `decisions-000001.jsonl`. */
export function fileName(file: number): string {
  return `decisions-${`${file}`.padStart(6, '0')}.jsonl`
}

export const FILE_NAME: RegExp = /^decisions-(\d{6,})\.jsonl$/
