/** One element of a `like` pattern: a Unicode scalar value, or `*`. */
export type PatternElement = { readonly literal: string } | 'wildcard'

/** -1 stands for `*`; scalar values are never negative. */
const WILDCARD = -1

/**
 * A matcher for Cedar's `like`: `*` matches any run of scalar values, newlines included. Two pointers and one
 * restart position: time is at most text × pattern, never exponential, and nothing is allocated.
 */
export function compilePattern(pattern: readonly PatternElement[]): (text: string) => boolean {
  const codes = pattern.map((element) =>
    element === 'wildcard' ? WILDCARD : (element.literal.codePointAt(0) ?? 0),
  )
  return (text) => matches(text, codes)
}

function matches(text: string, codes: readonly number[]): boolean {
  let at = 0
  let index = 0
  let restartIndex = -1
  let restartAt = 0
  while (at < text.length) {
    const code = text.codePointAt(at) ?? 0
    const expected = codes[index]
    if (expected === WILDCARD) {
      restartIndex = index
      restartAt = at
      index += 1
    } else if (expected === code) {
      index += 1
      at += code > 0xffff ? 2 : 1
    } else if (restartIndex >= 0) {
      restartAt += (text.codePointAt(restartAt) ?? 0) > 0xffff ? 2 : 1
      at = restartAt
      index = restartIndex + 1
    } else {
      return false
    }
  }
  while (codes[index] === WILDCARD) index += 1
  return index === codes.length
}
