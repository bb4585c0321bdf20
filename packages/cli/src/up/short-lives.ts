import { setFlagsFromString } from 'node:v8'

/**
 * Fits V8's care for memory to a process that answers requests, whose objects die young. Call it before the first request.
 *
 * - New objects are not placed among the old ones. V8 does so when objects of one kind have lived long before; under a steady
 *   stream of requests it misjudges, what is dead there keeps what it refers to alive, and every collection of young
 *   objects moves a fifth of them instead of none.
 * - Young objects are collected by the thread that made them. Next to nothing survives, so there is nothing to share out,
 *   and waking helpers and waiting for them costs more processor time than the work.
 */
export function expectShortLives(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
}
