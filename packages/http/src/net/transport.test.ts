import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, test } from 'vitest'
import { NetTransport } from './transport.ts'
import { NetTurns } from './turns.ts'

/** A transport whose burst never ends by itself, and the other end of its connection. */
async function openInBurst() {
  const waiting: (() => void)[] = []
  // Time stands still: every turn belongs to the burst.
  const turns = new NetTurns(
    () => 1000,
    (task) => waiting.push(task),
  )
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  server.close()
  turns.run(() => turns.mark({ seal: () => true, flush() {} }))
  return { turns, waiting, near, far, transport: new NetTransport(near, turns, false) }
}

test('what waits for the end of a burst keeps its bytes, although others read into the same memory meanwhile', async () => {
  const { turns, waiting, near, far, transport } = await openInBurst()
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

test.each([
  ['closed', false],
  ['reset', true],
])(
  'what an earlier turn wrote is not lost with a connection that is %s within the burst',
  async (_, reset) => {
    const { turns, far, transport } = await openInBurst()
    let received = ''
    far.on('data', (chunk) => (received += chunk.toString('latin1')))
    far.on('error', () => undefined)
    const closed = new Promise((resolve) => far.once('close', resolve))
    turns.run(() => void transport.write('the end'))
    expect(transport.bufferedBytes).toBe(7)
    turns.run(() => transport.destroy(reset))
    await closed
    expect(received).toBe('the end')
  },
)
