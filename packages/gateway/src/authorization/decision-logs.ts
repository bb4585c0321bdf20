import { DecisionLog } from '@breakwater/authz/operate'
import type { DecisionEntry } from '@breakwater/authz/operate'
import { isBreakwaterError, makeFolder, messageOf } from '@breakwater/core'
import { errors } from '../errors.ts'
import type { DecisionRecorder } from './decision-point.ts'

/** A log, and the one that has taken its place: what is decided after that by those who began before is written there. */
class OpenLog implements DecisionRecorder {
  readonly #log: DecisionLog
  #next: DecisionRecorder | undefined

  constructor(log: DecisionLog) {
    this.#log = log
  }

  append(entry: DecisionEntry): { written(): Promise<void> } {
    return (this.#next ?? this.#log).append(entry)
  }

  close(next?: DecisionRecorder): void {
    this.#next = next
    this.#log.close()
  }
}

/**
 * The decision logs of one gateway: never two on one folder. Requests that wait for an engine elsewhere outlive a reload: their
 * record goes to the log that came after theirs or, where none did, to theirs, which stays open for them.
 */
export class DecisionLogs {
  /** By folder. */
  readonly #open = new Map<string, OpenLog>()

  /** @throws `BW_GATEWAY_START_FAILED` when it cannot be opened, `BW_AUTHZ_LOG_BROKEN` when it was changed. */
  open(folder: string): DecisionRecorder {
    const open = this.#open.get(folder) ?? new OpenLog(openLog(folder))
    this.#open.set(folder, open)
    return open
  }

  /** Closes a log that another one replaces, or that nobody has written to. */
  close(folder: string, next?: DecisionRecorder): void {
    this.#open.get(folder)?.close(next)
    this.#open.delete(folder)
  }

  /** Closes all, at the end of the gateway. */
  closeAll(): void {
    for (const folder of this.#open.keys()) this.close(folder)
  }
}

function openLog(folder: string): DecisionLog {
  try {
    makeFolder(folder, 0o700)
    return new DecisionLog({ folder, contextKeys: ['tenant'] })
  } catch (cause) {
    if (isBreakwaterError(cause)) throw cause
    throw errors.BW_GATEWAY_START_FAILED(
      `the decision log in ${folder} cannot be opened: ${messageOf(cause)}`,
      { cause },
    )
  }
}
