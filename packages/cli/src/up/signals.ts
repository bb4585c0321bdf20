import process from 'node:process'
import { isatty } from 'node:tty'

/** Within this time of the first, a signal is the same keystroke, passed on by npm, a shell or the bootstrap. */
const ECHO_MS = 1_000

export interface StopHandlers {
  readonly onStop: (why: string) => void
  /** Asked again, later: the user is done waiting. */
  readonly onForce: () => void
  readonly onHangUp: () => void
}

/**
 * Turns the signals of this process into decisions. Ctrl-C and SIGTERM stop, the end of a launcher that opened an IPC
 * channel too; SIGHUP reloads, unless it tells that the terminal is gone. Disposing of the result takes the handlers away.
 */
export function handleSignals({ onStop, onForce, onHangUp }: StopHandlers): Disposable {
  const hadTerminal = isatty(0)
  let firstAtMs: number | undefined
  const stop = (why: string): void => {
    const nowMs = performance.now()
    if (firstAtMs === undefined) {
      firstAtMs = nowMs
      onStop(why)
    } else if (nowMs - firstAtMs > ECHO_MS) onForce()
  }
  const onInterrupt = (): void => stop('Ctrl-C')
  const onTerminate = (): void => stop('SIGTERM')
  const onDisconnect = (): void => stop('the end of its launcher')
  // After the terminal is gone the kernel answers no question about it any more.
  const onHup = (): void => (hadTerminal && !isatty(0) ? stop('the end of the terminal') : onHangUp())
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  process.on('SIGHUP', onHup)
  process.on('disconnect', onDisconnect)
  // A listener for `disconnect` alone must not keep the process alive.
  process.channel?.unref()
  return {
    [Symbol.dispose](): void {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
      process.off('SIGHUP', onHup)
      process.off('disconnect', onDisconnect)
    },
  }
}
