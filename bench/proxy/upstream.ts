// A static HTTP/1.1 answerer with as little work as possible, so that the proxy under test is what is measured.
// GET /small → 197 bytes, GET /16k → 16,384 bytes, GET /events → one SSE event of 47 bytes a second, for ever.
import { createServer } from 'node:net'
import type { Socket } from 'node:net'

const answer = (body: string, type: string): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)

const small = answer(JSON.stringify({ id: 'p-1', name: 'x'.repeat(168) }), 'application/json')
const large = answer('y'.repeat(16_384), 'application/octet-stream')
const eventHead = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
)
const event = Buffer.from(`2f\r\ndata: ${'z'.repeat(39)}\n\n\r\n`)
const listeners = new Set<Socket>()

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk: Buffer) => {
    // One request a chunk: the peers under test do not pipeline.
    if (chunk.includes('GET /16k')) socket.write(large)
    else if (chunk.includes('GET /events')) {
      socket.write(eventHead)
      listeners.add(socket)
    } else socket.write(small)
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => listeners.delete(socket))
})

setInterval(() => {
  for (const socket of listeners) socket.write(event)
}, 1000)
server.listen(Number(process.env['PORT']), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
