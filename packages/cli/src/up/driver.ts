import type { GatewayConfig } from '@breakwater/contract'
import { openFfiDriver, openNetDriver } from '@breakwater/http'
import type { NetDriver } from '@breakwater/http'

/** The sockets that the configuration asks for; where this machine cannot have them, those of Node, and a word about it. */
export function openDriver({ driver }: GatewayConfig['sockets'], note: (text: string) => void): NetDriver {
  if (driver === 'net') return openNetDriver()
  const opened = openFfiDriver()
  if (opened.ok) return opened.value
  note(`breakwater: warning: sockets.driver ffi cannot be had: ${opened.error}. The driver is net instead.\n`)
  return openNetDriver()
}
