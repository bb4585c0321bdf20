/**
 * A service with a fixed number of workers and a queue without a bound, as a process: `service-process <workers> <serviceMs>`.
 * It is slow only when it has too much to do. Prints its port as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

const workers = Number(process.argv[2] ?? 10)
const serviceMs = Number(process.argv[3] ?? 5)
/** More than the buffers of both ends of a loopback connection take. */
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x')

const queue: ServerResponse[] = []
let busy = 0

const startNext = (): void => {
  while (busy < workers && queue.length > 0) {
    const response = queue.shift()
    if (response === undefined) return
    busy++
    setTimeout(() => {
      busy--
      response.writeHead(200, { 'content-length': 4 }).end('done')
      startNext()
    }, serviceMs)
  }
}

const server = createServer((request, response) => {
  request.resume()
  if (request.url?.endsWith('/large') === true) {
    response.writeHead(200, { 'content-length': LARGE.length }).end(LARGE)
    return
  }
  queue.push(response)
  startNext()
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ service: (server.address() as AddressInfo).port }))
process.once('SIGTERM', () => process.exit(0))
