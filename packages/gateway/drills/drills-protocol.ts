import type { Drill } from '@breakwater/drill'

import { cascadeLocal } from './local/cascade-local.ts'
import { overloadLocal } from './local/overload-local.ts'
import { slowClientsLocal } from './local/slow-clients-local.ts'
import { smugglingLocal } from './local/smuggling-local.ts'
import { connectionFlood } from './protocol/connection-flood.ts'
import { headerAndBodyFlood } from './protocol/floods.ts'
import { forgedForwarded } from './protocol/forged-forwarded.ts'
import { badReload } from './protocol/bad-reload.ts'
import { unboundedKeys } from './protocol/unbounded-keys.ts'
import { requestSmuggling } from './protocol/smuggling.ts'
import { slowClients } from './protocol/slow-clients.ts'

/** Attacks on the protocol: on connections, messages, keys and configuration. */
export const protocolDrills: readonly Drill[] = [
  slowClients,
  connectionFlood,
  headerAndBodyFlood,
  forgedForwarded,
  unboundedKeys,
  badReload,
  requestSmuggling,
  smugglingLocal,
  slowClientsLocal,
  overloadLocal,
  cascadeLocal,
]
