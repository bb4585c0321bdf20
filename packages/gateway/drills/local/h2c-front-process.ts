/**
 * What stands in front when Breakwater does not, as a process: `h2c-front-process <port>`. It decides on every request that it
 * sees, rightly, and hands `Upgrade` and `HTTP2-Settings` on as they came, as the usual recipe for WebSockets has it. Prints its
 * port as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

const HOST = '127.0.0.1'
const port = Number(process.argv[2] ?? 0)
const isOpen = ({ url = '' }: IncomingMessage): boolean => url.startsWith('/products') || url === '/live'

const server = createServer((request, response) => {
  if (!isOpen(request)) {
    response.writeHead(401, { 'content-length': 0 }).end()
    return
  }
  const { method = '', url = '', headers } = request
  const onward = send({ host: HOST, port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
})

server.on('upgrade', (request, socket, early) => {
  socket.on('error', () => socket.destroy())
  if (!isOpen(request)) {
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    return
  }
  const onward = connect(port, HOST, () => {
    const { method = '', url = '', rawHeaders } = request
    const lines = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1] ?? ''}\r\n`] : [],
    )
    onward.write(`${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`)
    onward.write(early)
    socket.pipe(onward).pipe(socket)
  })
  onward.on('error', () => socket.destroy())
})

server.listen(0, HOST)
await once(server, 'listening')
console.log(JSON.stringify({ main: (server.address() as AddressInfo).port }))
process.once('SIGTERM', () => process.exit(0))
