/**
 * A service that checks nothing and speaks three protocols on one port, as a process: HTTP/1.1, WebSocket (it echoes bytes), and
 * HTTP/2 in clear text for whoever asks with `Upgrade: h2c` (RFC 7540 §3.2) — Node's own HTTP/2, so that the tunnel is a real one.
 * `/__seen` tells what was asked of it. Prints its port as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { performServerHandshake } from 'node:http2'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

const seen: string[] = []

function serve(method: string, path: string, protocol: string): string {
  seen.push(`${protocol} ${method} ${path}`)
  return path.startsWith('/products') ? 'eight products' : `the secret of ${path}`
}

const server = createServer((request, response) => {
  request.resume()
  const { method = '', url = '' } = request
  const text = url === '/__seen' ? JSON.stringify(seen) : serve(method, url, 'HTTP/1.1')
  response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
})

server.on('upgrade', (request, socket, early) => {
  socket.on('error', () => socket.destroy())
  const asked = (request.headers.upgrade ?? '').toLowerCase().split(/\s*,\s*/)
  const protocol = asked.includes('h2c') ? 'h2c' : 'websocket'
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
  if (early.length > 0) socket.unshift(early)
  if (protocol === 'websocket') {
    seen.push(`websocket ${request.url ?? ''}`)
    socket.pipe(socket)
    return
  }
  const session = performServerHandshake(socket)
  session.on('error', () => socket.destroy())
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const text = serve(String(headers[':method']), String(headers[':path']), 'HTTP/2')
    stream.respond({ ':status': 200 })
    stream.end(text)
  })
})

server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ service: (server.address() as AddressInfo).port }))
process.once('SIGTERM', () => process.exit(0))
