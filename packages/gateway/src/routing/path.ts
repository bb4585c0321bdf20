const HEX = /%([0-9A-Fa-f]{2})/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * The one spelling of a path that routing, policy and the upstream all see: percent-encoded unreserved characters are
 * decoded and the other escapes written in upper case (RFC 3986 §6.2.2). A path that means the same after that compares
 * equal, so no spelling slips past a rule. Paths without `%`, nearly all, come back untouched.
 */
export function canonicalPath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(HEX, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return UNRESERVED.test(character) ? character : escape.toUpperCase()
  })
}

/** A segment of a template: a literal, or a name in braces that takes one whole non-empty segment. */
export type TemplateSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }

/** Splits `/orders/{id}/lines` into its segments. The text is assumed to be checked by the configuration schema. */
export function parseTemplate(template: string): readonly TemplateSegment[] {
  return template
    .slice(1)
    .split('/')
    .map((text) =>
      text.startsWith('{') && text.endsWith('}')
        ? { kind: 'parameter', name: text.slice(1, -1) }
        : { kind: 'literal', text },
    )
}

/** Whether `path` fits the template, segment by segment. Reads the path in place: no array, no copies. */
export function fitsTemplate(segments: readonly TemplateSegment[], path: string): boolean {
  let start = 1
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as TemplateSegment
    const slash = path.indexOf('/', start)
    const isLast = index === segments.length - 1
    if (isLast !== slash < 0) return false
    const end = slash < 0 ? path.length : slash
    if (segment.kind === 'parameter') {
      if (end === start) return false
    } else if (end - start !== segment.text.length || !path.startsWith(segment.text, start)) return false
    start = end + 1
  }
  return true
}

/** The values that the template's parameters take in a path that fits it, still percent-encoded. */
export function parametersOf(
  segments: readonly TemplateSegment[],
  path: string,
): ReadonlyMap<string, string> {
  const parts = path.slice(1).split('/')
  return new Map(
    segments.flatMap((segment, index) =>
      segment.kind === 'parameter' ? [[segment.name, parts[index] ?? ''] as const] : [],
    ),
  )
}
