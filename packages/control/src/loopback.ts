const LOOPBACK_ADDRESS = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/
const HOST_FIELD = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i

/** Whether a listener on `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || LOOPBACK_ADDRESS.test(host)
}

/**
 * Whether a Host field names this machine by a loopback name. A page whose own name was made to resolve to 127.0.0.1
 * (DNS rebinding) sends that name.
 */
export function isLoopbackHostField(field: string | undefined): boolean {
  return field !== undefined && HOST_FIELD.test(field)
}
