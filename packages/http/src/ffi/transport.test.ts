import { afterEach, describe, expect, test } from 'vitest'
import { NetTurns } from '../net/turns.ts'
import type { TransportHandler } from '../transport.ts'
import { Inbox } from './inbox.ts'
import { AF_UNIX, SOCK_FLAGS, SOCK_STREAM, loadLibc } from './libc.ts'
import type { Libc } from './libc.ts'
import { BOX_BYTES, Outbox } from './outbox.ts'
import { Poller } from './poller.ts'
import { Sockets } from './sockets.ts'
import { FfiTransport } from './transport.ts'

const loaded = loadLibc()
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

const SILENT: TransportHandler = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }

/** A transport whose other side has gone, and what it asks of the system from now on. */
function openAlone(real: Libc): { transport: FfiTransport; calls: string[] } {
  const calls: string[] = []
  const libc: Libc = {
    ...real,
    write: (...args) => (calls.push('write'), real.write(...args)),
    shutdown: (...args) => (calls.push('shutdown'), real.shutdown(...args)),
    setsockopt: (...args) => (calls.push('setsockopt'), real.setsockopt(...args)),
    close: (descriptor) => (calls.push('close'), real.close(descriptor)),
  }
  const turns = new NetTurns()
  const outbox = new Outbox(libc, turns)
  const poller = new Poller(libc, turns, outbox)
  cleanUps.push(() => poller.close())
  const staging = libc.allocate(BOX_BYTES)
  const shared = { libc, sockets: new Sockets(libc), turns, poller, outbox, inbox: new Inbox(libc), staging }
  const pair = libc.allocate(8)
  libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0, pair.pointer)
  const connected = { descriptor: pair.bytes.readInt32LE(0), remoteAddress: '', remotePort: 0 }
  const transport = new FfiTransport({ ...shared, open: new Set() }, connected)
  transport.bind(SILENT)
  real.close(pair.bytes.readInt32LE(4))
  return { transport, calls }
}

describe.runIf(loaded.ok)('a transport whose last write fails, and so closes it', () => {
  test.each([
    { what: 'half-closed', how: (transport: FfiTransport) => transport.end() },
    { what: 'reset', how: (transport: FfiTransport) => transport.destroy(true) },
  ])('is not $what any more: its descriptor may belong to somebody else', ({ how }) => {
    if (!loaded.ok) return
    const { transport, calls } = openAlone(loaded.value)
    transport.write('nobody hears this')
    how(transport)
    expect(calls).toEqual(['write', 'close'])
  })
})
