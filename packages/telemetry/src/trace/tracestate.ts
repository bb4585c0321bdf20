/**
 * The companion header of W3C Trace Context (Recommendation, §3.3):
 *
 *     list        = list-member *31( OWS "," OWS list-member )     ; members may be empty
 *     list-member = key "=" value
 *     key         = lcalpha *255( lcalpha / DIGIT / "_" / "-" / "*" / "/" )
 *                 / ( lcalpha / DIGIT ) *240( … ) "@" lcalpha *13( … )
 *     value       = *255chr nblk-chr                               ; 0x20–0x7E without "," and "="
 */
const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const MAX_MEMBERS = 32
/** §3.3.1.5: at least this much is propagated; we propagate no more. */
const MAX_CHARS = 512
const LONG_MEMBER_CHARS = 128
/** No valid list is longer: 32 members of at most 256 + 1 + 256 characters with generous white space. */
const MAX_INPUT_CHARS = 32 * 520

/**
 * Reads a `tracestate` value (several headers joined by commas) and returns it as it goes on to the next hop: white
 * space and empty members gone, at most 512 characters. `undefined` when it is empty or breaks the grammar in any
 * place: then all of it is dropped, never repaired.
 */
export function parseTracestate(value: string): string | undefined {
  if (value === '' || value.length > MAX_INPUT_CHARS) return undefined
  const members: string[] = []
  const keys = new Set<string>()
  for (const part of value.split(',')) {
    const member = trimWhiteSpace(part)
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(0, equals))
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1)) || keys.has(key)) return undefined
    keys.add(key)
    members.push(member)
  }
  if (members.length === 0 || members.length > MAX_MEMBERS) return undefined
  return shortened(members).join(',') || undefined
}

/** §3.3.1.5: members above 128 characters go first, then members from the end. Members are never cut in two. */
function shortened(members: readonly string[]): readonly string[] {
  let chars = members.reduce((sum, member) => sum + member.length + 1, -1)
  if (chars <= MAX_CHARS) return members
  const kept = members.filter((member) => {
    if (chars <= MAX_CHARS || member.length <= LONG_MEMBER_CHARS) return true
    chars -= member.length + 1
    return false
  })
  while (chars > MAX_CHARS) chars -= (kept.pop()?.length ?? 0) + 1
  return kept
}

/** OWS is space and tab only (RFC 9110 §5.6.3); `trim` would also take Unicode spaces. */
function trimWhiteSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(start, end)
}
