import { HEX, HOST } from './tables.ts'

/** A host name, IPv4 address or bracketed IPv6 address, with an optional port 0–65535. No user information, never empty. */
export function isAuthority(text: string): boolean {
  const { length } = text
  let at = 0
  if (text.charCodeAt(0) === 0x5b) {
    const close = text.indexOf(']')
    if (close < 3) return false
    for (at = 1; at < close; at++) {
      const code = text.charCodeAt(at)
      if (code !== 0x3a && code !== 0x2e && (code > 0x7f || HEX[code] === 255)) return false
    }
    at = close + 1
  } else {
    while (at < length && text.charCodeAt(at) < 0x80 && HOST[text.charCodeAt(at)] === 1) at++
    if (at === 0) return false
  }
  return at === length || (text.charCodeAt(at) === 0x3a && isPort(text, at + 1))
}

function isPort(text: string, start: number): boolean {
  const digits = text.length - start
  if (digits < 1 || digits > 5) return false
  let port = 0
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65_535
}
