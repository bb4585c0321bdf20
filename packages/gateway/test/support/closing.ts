/** What is closed at the end of its block. */
export function closing<Driver extends { close(): Promise<void> }>(driver: Driver): Driver & AsyncDisposable {
  return Object.assign(driver, { [Symbol.asyncDispose]: () => driver.close() })
}
