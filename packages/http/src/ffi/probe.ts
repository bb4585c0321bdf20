import { AF_UNIX, EAGAIN, SOCK_FLAGS, SOCK_STREAM, systemError } from './libc.ts'
import type { Libc } from './libc.ts'

/**
 * Sends bytes through a pair of sockets and looks whether they arrive, and whether a call that fails says why: what everything
 * else here relies on. Returns what is wrong, in words.
 *
 * @throws what the system says. @internal
 */
export function probe(libc: Libc): string | undefined {
  const pair = libc.allocate(8)
  if (libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0, pair.pointer) !== 0) {
    throw systemError(libc.errno(), 'socketpair')
  }
  const one = pair.bytes.readInt32LE(0)
  const other = pair.bytes.readInt32LE(4)
  try {
    const { bytes, pointer } = libc.allocate(64)
    if (libc.read(other, pointer, 32) !== -1 || libc.errno() !== EAGAIN) return 'errno cannot be read here'
    bytes.write('breakwater')
    const sent = libc.write(one, pointer, 10)
    bytes.fill(0)
    const got = libc.read(other, pointer, 32)
    return sent === 10 && got === 10 && bytes.toString('latin1', 0, 10) === 'breakwater'
      ? undefined
      : 'what was sent did not arrive'
  } finally {
    libc.close(one)
    libc.close(other)
  }
}
