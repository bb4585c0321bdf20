/** An answer as it stands in the bytes that a client received. */
export interface Answer {
  readonly status: number
  readonly reason: string
  readonly version: string
  /** Names in lower case; repeated ones joined with a comma. */
  readonly fields: ReadonlyMap<string, string>
  readonly body: string
  /** Whether its end is there. Without framing only the end of the connection tells. */
  readonly isWhole: boolean
}

/** Splits what a client received into answers, 1xx included; the last one may be cut. */
export function parseAnswers(received: string, isHead = false): Answer[] {
  const answers: Answer[] = []
  let rest = received
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) break
    const [start = '', ...lines] = rest.slice(0, end).split('\r\n')
    const [version = '', status = '', ...reason] = start.split(' ')
    const fields = new Map<string, string>()
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase()
      const value = line.slice(line.indexOf(':') + 1).trim()
      const before = fields.get(name)
      fields.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    rest = rest.slice(end + 4)
    const code = Number(status)
    const isBodyless = isHead || code < 200 || code === 204 || code === 304
    const { body, isWhole, left } = isBodyless
      ? { body: '', isWhole: true, left: rest }
      : takeBody(fields, rest)
    answers.push({ status: code, reason: reason.join(' '), version, fields, body, isWhole })
    rest = left
  }
  return answers
}

function takeBody(
  fields: ReadonlyMap<string, string>,
  text: string,
): { body: string; isWhole: boolean; left: string } {
  if (fields.get('transfer-encoding') === 'chunked') return takeChunks(text)
  const length = fields.get('content-length')
  if (length === undefined) return { body: text, isWhole: true, left: '' }
  const bytes = Number(length)
  return { body: text.slice(0, bytes), isWhole: text.length >= bytes, left: text.slice(bytes) }
}

function takeChunks(text: string): { body: string; isWhole: boolean; left: string } {
  let body = ''
  let at = 0
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return { body, isWhole: false, left: '' }
    const bytes = Number.parseInt(text.slice(at, line), 16)
    if (bytes === 0) {
      const end = text.indexOf('\r\n\r\n', line)
      return { body, isWhole: end >= 0, left: end < 0 ? '' : text.slice(end + 4) }
    }
    body += text.slice(line + 2, line + 2 + bytes)
    at = line + 2 + bytes + 2
    if (at > text.length) return { body, isWhole: false, left: '' }
  }
}
