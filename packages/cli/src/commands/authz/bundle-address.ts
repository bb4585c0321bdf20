import { messageOf } from '@breakwater/core'

import { Mistake } from './policies.ts'

/** What an address made of a bundle. */
export interface PushAnswer {
  readonly isTaken: boolean
  /** What it said, for people. */
  readonly said: string
}

export interface PushOptions {
  readonly timeoutMs: number
  /** Name of the variable that holds the bearer token; undefined where none is asked for. */
  readonly tokenVariable: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Sends a signed bundle by HTTP PUT: to `/authorization/bundle` of a gateway's admin API, or to anything that takes files.
 * Never rejects for what the address does.
 *
 * @throws `Mistake` when the token is not there or could not be sent.
 */
export async function pushTo(
  url: string,
  bytes: Uint8Array<ArrayBuffer>,
  { timeoutMs, tokenVariable, environment }: PushOptions,
): Promise<PushAnswer> {
  const headers = {
    'content-type': 'application/json',
    ...(tokenVariable !== undefined && { authorization: `Bearer ${tokenIn(tokenVariable, environment)}` }),
  }
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    // Who may have the token is written down; another address is not it.
    const response = await fetch(url, { method: 'PUT', body: bytes, headers, signal, redirect: 'error' })
    const text = await response.text()
    return response.ok
      ? { isTaken: true, said: acceptance(text) }
      : { isTaken: false, said: `${response.status} ${refusal(text)}` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    return { isTaken: false, said: `${messageOf(error)}${cause}` }
  }
}

function tokenIn(name: string, environment: PushOptions['environment']): string {
  const token = environment[name] ?? ''
  // Of what is in it nothing is ever told.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Mistake(`the variable ${name} holds no token that can be sent`)
  return token
}

/** `accepted, version 7 is in force`, or nothing where the address is no admin API. */
function acceptance(text: string): string {
  const { kind, version, isVersionKept } = fieldsOf(text)
  if ((kind !== 'accepted' && kind !== 'refreshed') || typeof version !== 'number') return ''
  const warning =
    isVersionKept === false
      ? '; it is not on record there, and an older one may come back after a restart'
      : ''
  return `${kind}, version ${version} is in force${warning}`
}

/** The words of a problem (RFC 9457), or the beginning of whatever it is. */
function refusal(text: string): string {
  const { code, title, fix } = fieldsOf(text)
  if (typeof title !== 'string' || typeof code !== 'string') return plain(text.slice(0, 300))
  return plain(`${code}: ${title}${typeof fix === 'string' ? `. ${fix}` : ''}`)
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

/** What comes from elsewhere must not steer the terminal. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
