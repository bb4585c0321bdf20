/** Text that `JSON.stringify` writes as it is: a number to its last digit. */
export const rawJson: (text: string) => { readonly rawJSON: string } = Reflect.get(JSON, 'rawJSON')

/** `JSON.parse` whose numbers are written back by `JSON.stringify` digit by digit. */
export function parseExact(text: string): unknown {
  const keep = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? rawJson(context?.source ?? `${value}`) : value
  return JSON.parse(text, keep)
}
