import type { Random } from '@breakwater/core'

const INSERTS = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '5',
  '\u00ff',
  '\x0b',
  '\x7f',
  '\r\n\r\n',
  'chunked',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  '"',
  '\\',
  '=',
  '-',
  '_',
  'GET / HTTP/1.1\r\n',
]

/** Breaks `text` in one to three places. */
export function mutate(text: string, random: Random): string {
  let bytes = text
  for (let count = 1 + Math.floor(random() * 3); count > 0 && bytes.length > 0; count--)
    bytes = mutateOnce(bytes, random)
  return bytes
}

function mutateOnce(text: string, random: Random): string {
  const at = Math.floor(random() * text.length)
  const before = text.slice(0, at)
  switch (Math.floor(random() * 9)) {
    case 0:
      return `${before}${String.fromCharCode(text.charCodeAt(at) ^ (1 << Math.floor(random() * 8)))}${text.slice(at + 1)}`
    case 1:
      return `${before}${String.fromCharCode(Math.floor(random() * 256))}${text.slice(at + 1)}`
    case 2:
      return `${before}${INSERTS[Math.floor(random() * INSERTS.length)]}${text.slice(at)}`
    case 3:
      return `${before}${text.slice(at + 1 + Math.floor(random() * 3))}`
    case 4:
      return before
    case 5:
      return onLines(text, random, (lines, line) => lines.splice(line, 0, lines[line] as string))
    case 6:
      return onLines(text, random, (lines, line) => lines.splice(line, 1))
    case 7:
      return onLines(text, random, (lines, line) => {
        const other = Math.floor(random() * lines.length)
        const kept = lines[line] as string
        lines[line] = lines[other] as string
        lines[other] = kept
      })
    default:
      return text.replace(
        /\r\n([0-9a-f]+)\r\n/,
        (_, size: string) => `\r\n${(Number.parseInt(size, 16) + 1).toString(16)}\r\n`,
      )
  }
}

function onLines(text: string, random: Random, change: (lines: string[], line: number) => void): string {
  const lines = text.split('\r\n')
  change(lines, Math.floor(random() * lines.length))
  return lines.join('\r\n')
}
