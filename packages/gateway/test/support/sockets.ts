import { openFfiDriver, openNetDriver } from '@breakwater/http'
import type { NetDriver } from '@breakwater/http'

const probe = openFfiDriver()
if (probe.ok) await probe.value.close()

/** The drivers of real sockets that this machine can have, by what `sockets.driver` says. */
export const SOCKETS: readonly { readonly kind: string; openDriver(): NetDriver }[] = [
  { kind: 'net', openDriver: openNetDriver },
  ...(probe.ok ? [{ kind: 'ffi', openDriver: openFfi }] : []),
]

function openFfi(): NetDriver {
  const opened = openFfiDriver()
  if (!opened.ok) throw new Error(opened.error)
  return opened.value
}
