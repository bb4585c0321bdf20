/**
 * The second servers of the smuggling drill as a process: for each payload one that is careless in its own way, and Node's with
 * its lenient parser. Prints their ports as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

import { openNetDriver } from '@breakwater/http'

import { NaiveBackend, isSecret } from '../smuggling/naive-backend.ts'
import { payloads } from '../smuggling/payloads.ts'

const HOST = '127.0.0.1'
const driver = openNetDriver()
const ports: Record<string, number> = {}

for (const { id, back } of payloads) {
  ports[id] = (await NaiveBackend.open(driver, { host: HOST, port: 0 }, back)).port
  ports[`node-${id}`] = await openLenientNode()
}
console.log(JSON.stringify(ports))
process.once('SIGTERM', () => process.exit(0))

async function openLenientNode(): Promise<number> {
  const seen: string[] = []
  let secrets = 0
  const server = createServer({ insecureHTTPParser: true }, (request, response) => {
    const { method = '', url = '', headers } = request
    request.resume()
    request.once('end', () => {
      if (url === '/__seen') {
        response.end(JSON.stringify({ seen, secrets }))
        return
      }
      seen.push(`${method} ${headers.host ?? ''} ${url}`)
      if (isSecret({ host: headers.host ?? '', path: url })) secrets++
      const body = `${method} ${url}`
      response.writeHead(200, { 'content-length': body.length }).end(body)
    })
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
