/** Whether two parts of a resolved configuration say the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, infinityAsText) === JSON.stringify(b, infinityAsText)
}

function infinityAsText(_key: string, value: unknown): unknown {
  return value === Infinity ? 'Infinity' : value
}
