import type * as Ffi from 'node:ffi'
import type { FunctionDefinitions } from 'node:ffi'
import { isMainThread } from 'node:worker_threads'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import { failed, messageOf, ok } from '@breakwater/core'
import type { Result } from '@breakwater/core'

// A pointer is a bigint; lengths are 32 bits wide, because a bigint for each would be an object for each call. Up to three
// arguments a call goes straight into the function (tens of nanoseconds), with more it takes several times as long: so read and
// write, not recv and send.
const FUNCTIONS = {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  socketpair: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
  bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  listen: { arguments: ['i32', 'i32'], return: 'i32' },
  accept4: { arguments: ['i32', 'pointer', 'pointer', 'i32'], return: 'i32' },
  connect: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  getsockname: { arguments: ['i32', 'pointer', 'pointer'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
  read: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  write: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  shutdown: { arguments: ['i32', 'i32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  epoll_create1: { arguments: ['i32'], return: 'i32' },
  epoll_ctl: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
  epoll_wait: { arguments: ['i32', 'pointer', 'i32', 'i32'], return: 'i32' },
  __errno_location: { arguments: [], return: 'pointer' },
  uv_ip4_addr: { arguments: ['string', 'i32', 'pointer'], return: 'i32' },
  uv_ip6_addr: { arguments: ['string', 'i32', 'pointer'], return: 'i32' },
  uv_ip_name: { arguments: ['pointer', 'pointer', 'u32'], return: 'i32' },
  uv_handle_size: { arguments: ['i32'], return: 'u32' },
  uv_poll_init: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  uv_poll_start: { arguments: ['pointer', 'i32', 'pointer'], return: 'i32' },
  uv_poll_stop: { arguments: ['pointer'], return: 'i32' },
  uv_ref: { arguments: ['pointer'], return: 'void' },
  uv_unref: { arguments: ['pointer'], return: 'void' },
  uv_close: { arguments: ['pointer', 'pointer'], return: 'void' },
} as const satisfies FunctionDefinitions

/** As their manual pages say; a result of -1 says that `errno` has the reason. @internal */
export interface SystemCalls {
  socket(family: number, type: number, protocol: number): number
  socketpair(family: number, type: number, protocol: number, pair: bigint): number
  bind(descriptor: number, address: bigint, length: number): number
  listen(descriptor: number, backlog: number): number
  accept4(descriptor: number, address: bigint, length: bigint, flags: number): number
  connect(descriptor: number, address: bigint, length: number): number
  getsockname(descriptor: number, address: bigint, length: bigint): number
  setsockopt(descriptor: number, level: number, option: number, value: bigint, length: number): number
  getsockopt(descriptor: number, level: number, option: number, value: bigint, length: bigint): number
  read(descriptor: number, into: bigint, length: number): number
  /** Node ignores SIGPIPE, so this fails with EPIPE where nobody reads any more. */
  write(descriptor: number, from: bigint, length: number): number
  shutdown(descriptor: number, how: number): number
  close(descriptor: number): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, descriptor: number, event: bigint): number
  epoll_wait(epoll: number, events: bigint, maxEvents: number, timeoutMs: number): number
  uv_ip4_addr(text: string, port: number, address: bigint): number
  uv_ip6_addr(text: string, port: number, address: bigint): number
  uv_ip_name(address: bigint, into: bigint, length: number): number
  uv_handle_size(type: number): number
  uv_poll_init(loop: bigint, handle: bigint, descriptor: number): number
  uv_poll_start(handle: bigint, events: number, callback: bigint): number
  uv_poll_stop(handle: bigint): number
  uv_ref(handle: bigint): void
  uv_unref(handle: bigint): void
  uv_close(handle: bigint, callback: bigint): void
}

/** Memory at an address that stays what it is. @internal */
export interface Memory {
  readonly bytes: Buffer
  readonly pointer: bigint
}

/** Functions of the C library and of libuv, as they are in this process. @internal */
export interface Libc extends SystemCalls {
  /** Zeroed. Lives as long as the result does: keep it while the kernel may use it. */
  allocate(bytes: number): Memory
  /** What the call before this one failed with. Positive, as in errno(3). */
  errno(): number
  readonly currentEventLoop: bigint
  /** The address of a function, for those who call back. */
  addressOf(name: string): bigint
}

/** Linux's numbers; the same on x64 and arm64. @internal */
export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_STREAM = 1
/** SOCK_NONBLOCK | SOCK_CLOEXEC. */
export const SOCK_FLAGS = 0x8_0800
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_ERROR = 4
export const SO_LINGER = 13
export const SO_REUSEPORT = 15
export const IPPROTO_TCP = 6
export const IPPROTO_IPV6 = 41
export const IPV6_V6ONLY = 26
export const TCP_NODELAY = 1
export const SHUT_WR = 1
export const EINTR = 4
export const EBADF = 9
export const EAGAIN = 11
export const ENOMEM = 12
export const ENFILE = 23
export const EMFILE = 24
export const ENOBUFS = 105
export const EINPROGRESS = 115

let loaded: Result<Libc, string> | undefined

/** Failed: why this process cannot call the system itself, in words. Loaded once. @internal */
export function loadLibc(): Result<Libc, string> {
  return (loaded ??= load())
}

/** A failed system call as Node would report it. @internal */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  const error = new Error(`${syscall}: ${getSystemErrorMessage(-errno)} (${code})`)
  return Object.assign(error, { code, errno: -errno, syscall })
}

function load(): Result<Libc, string> {
  const { platform, arch } = process
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    return failed(`it needs Linux on x64 or arm64, and this is ${platform} on ${arch}`)
  }
  // The loop of a worker is torn down with whatever is still open in it, which libuv takes for a fault.
  if (!isMainThread) return failed('it works in the main thread only')
  try {
    const ffi = process.getBuiltinModule('node:ffi') as typeof Ffi | undefined
    if (ffi === undefined)
      return failed(`Node ${process.versions.node} has no node:ffi, or it is switched off`)
    return ok(bound(ffi))
  } catch (cause) {
    return failed(messageOf(cause))
  }
}

function bound(ffi: typeof Ffi): Libc {
  const { lib, functions } = ffi.dlopen(null, FUNCTIONS)
  const errnoAt = functions.__errno_location()
  return {
    ...functions,
    allocate(bytes) {
      const memory = new ArrayBuffer(bytes)
      return { bytes: Buffer.from(memory), pointer: ffi.getRawPointer(memory) }
    },
    errno: () => ffi.getInt32(errnoAt, 0),
    currentEventLoop: ffi.getCurrentEventLoop(),
    addressOf: (name) => lib.getSymbol(name),
  }
}
