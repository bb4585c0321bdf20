import { expect, test } from 'vitest'
import type { Outlet } from './transport.ts'
import { NetTurns } from './turns.ts'

/** Turns whose time and event loop are moved by hand. */
function openByHand() {
  let nowMs = 1000
  const waiting: (() => void)[] = []
  const turns = new NetTurns(
    () => nowMs,
    (task) => waiting.push(task),
  )
  const flushed: string[] = []
  const outlet = (name: string, isShort = true): Outlet => ({
    seal: () => isShort,
    flush: () => void flushed.push(name),
  })
  const turnAfter = (gapMs: number, written: Outlet): void => {
    nowMs += gapMs
    turns.run(() => turns.mark(written))
  }
  const endOfReads = (): void => {
    for (const task of waiting.splice(0)) task()
  }
  return { outlet, turnAfter, endOfReads, flushed }
}

test('a turn on its own writes at its end', () => {
  const { outlet, turnAfter, flushed } = openByHand()
  turnAfter(0, outlet('first'))
  turnAfter(5, outlet('second'))
  expect(flushed).toEqual(['first', 'second'])
})

test('what a burst of turns writes leaves in one go, in order', () => {
  const { outlet, turnAfter, endOfReads, flushed } = openByHand()
  turnAfter(0, outlet('first'))
  for (const name of ['second', 'third', 'fourth']) turnAfter(0.02, outlet(name))
  expect(flushed).toEqual(['first'])
  endOfReads()
  expect(flushed).toEqual(['first', 'second', 'third', 'fourth'])
})

test('long writes of a burst do not wait: their bytes belong to others after the turn', () => {
  const { outlet, turnAfter, flushed } = openByHand()
  turnAfter(0, outlet('first'))
  turnAfter(0.02, outlet('long', false))
  expect(flushed).toEqual(['first', 'long'])
})

test('a burst without end does not let its first write wait for ever', () => {
  const { outlet, turnAfter, flushed } = openByHand()
  for (let turn = 0; turn < 100; turn++) turnAfter(0.02, outlet(String(turn)))
  expect(flushed.length).toBeGreaterThan(90)
  expect(flushed).toEqual(flushed.map((_, index) => String(index)))
})
