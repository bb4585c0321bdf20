/** What `GET /metrics` must answer in `Content-Type` (Prometheus text exposition format, version 0.0.4). */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const HELP_SPECIAL = /[\\\n]/g
const LABEL_SPECIAL = /[\\\n"]/g
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' }
const escape = (char: string): string => escapes[char] ?? char

/** In HELP text only the backslash and the line feed are escaped; a quote stands for itself. */
export function escapeHelp(text: string): string {
  return text.toWellFormed().replace(HELP_SPECIAL, escape)
}

/** In a label value the backslash, the line feed and the double quote are escaped; all else is UTF-8. */
export function escapeLabelValue(text: string): string {
  return text.toWellFormed().replace(LABEL_SPECIAL, escape)
}

/** A sample's value as Go's ParseFloat reads it. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

/** `a="1",b="2"`, without the braces, so that a histogram can add its own `le`. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeLabelValue(values[index] ?? '')}"`).join(',')
}

/** `name{labels}` or the bare name. */
export function seriesName(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`
}
