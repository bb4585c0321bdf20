import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { NetTransport } from './transport.ts'
import { NetTurns } from './turns.ts'

test('what waits for the end of a burst keeps its bytes, although others read into the same memory meanwhile', async () => {
  const waiting: (() => void)[] = []
  // Time stands still: every turn belongs to the burst.
  const turns = new NetTurns(
    () => 1000,
    (task) => waiting.push(task),
  )
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [typeof near]
  const transport = new NetTransport(near, turns, false)
  const memory = Buffer.alloc(4)
  for (const text of ['one,', 'two,', 'six.']) {
    memory.write(text)
    turns.run(() => {
      transport.write('<')
      transport.write(memory)
      transport.write('>')
    })
  }
  memory.fill('x')
  for (const task of waiting) task()
  near.end()
  let received = ''
  for await (const chunk of far.setEncoding('latin1')) received += String(chunk)
  expect(received).toBe('<one,><two,><six.>')
  expect(waiting.length).toBeGreaterThan(0)
})
