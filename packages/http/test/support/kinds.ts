import { openFfiDriver, openNetDriver } from '../../src/index.ts'
import type { NetDriver } from '../../src/index.ts'

export interface DriverKind {
  readonly kind: 'net' | 'ffi'
  open(): NetDriver
}

const ffi = openFfiDriver()
if (ffi.ok) await ffi.value.close()

/** The drivers of real sockets that this machine can have. */
export const DRIVER_KINDS: readonly DriverKind[] = [
  { kind: 'net', open: openNetDriver },
  ...(ffi.ok ? [{ kind: 'ffi' as const, open: openFfi }] : []),
]

function openFfi(): NetDriver {
  const opened = openFfiDriver()
  if (!opened.ok) throw new Error(opened.error)
  return opened.value
}
