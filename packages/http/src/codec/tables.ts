/**
 * Byte classes, looked up once per byte received.
 *
 * @internal
 */

const table = (fill: (byte: number) => number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => fill(byte))

const TOKEN_MARKS = new Set("!#$%&'*+-.^_`|~".split('').map((mark) => mark.charCodeAt(0)))
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a
const isLower = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a
const isAlnum = (byte: number): boolean => isDigit(byte) || isUpper(byte) || isLower(byte)

/** The byte in lower case for `tchar` (RFC 9110 §5.6.2), 0 for all others. */
export const TOKEN: Uint8Array = table((byte) => {
  if (isUpper(byte)) return byte + 0x20
  return isAlnum(byte) || TOKEN_MARKS.has(byte) ? byte : 0
})

/** 1 for what a field value may hold (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text. */
export const VALUE: Uint8Array = table((byte) => (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? 1 : 0))

/**
 * What a byte of a request target means: 0 not allowed, 1 ordinary, 2 `/`, 3 `?`, 4 `%`, 5 `.`, 6 `\`.
 * RFC 3986 forbids some of the ordinary ones (`"`, `|`, `{` …); browsers send them and no parser disagrees about them.
 */
export const TARGET: Uint8Array = table((byte) => {
  if (byte <= 0x20 || byte >= 0x7f) return 0
  const at = '#<>'.indexOf(String.fromCharCode(byte))
  if (at >= 0) return 0
  return '/?%.\\'.indexOf(String.fromCharCode(byte)) + 2 || 1
})

/** Value of a hex digit, 255 for all others. */
export const HEX: Uint8Array = table((byte) => {
  if (isDigit(byte)) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255
})

/** 1 for what a host name may hold here: letters, digits, `-`, `.`, `_`, `~`. Stricter than RFC 3986 reg-name. */
export const HOST: Uint8Array = table((byte) =>
  isAlnum(byte) || '-._~'.includes(String.fromCharCode(byte)) ? 1 : 0,
)
