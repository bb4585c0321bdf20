/**
 * A policy engine as a process that speaks OPA's data API (`POST /v1/data/<path>`): everybody may have their own order, `o1` is
 * ada's. `PUT /__mood` makes it sick in the way that the body names. Prints its port as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

interface Input {
  readonly principal: { readonly id: string }
  readonly resource: { readonly id: string }
}

/** What a sick engine does; every answer that looks like an allow is one that must not count. */
const MOODS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  silent: () => {},
  failing: (response) => response.writeHead(500).end('{"result":true}'),
  elsewhere: (response) => response.writeHead(307, { location: '/v1/data/everybody' }).end(),
  garbled: (response) => response.end('{"result":true'),
  undefined: (response) => response.end('{}'),
  wordy: (response) => response.end('{"result":"true"}'),
  cut: (response) => response.destroy(),
}
let mood = ''

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  request.on('end', () => {
    if (request.url === '/__mood') {
      mood = text
      response.end()
    } else if (request.url === '/v1/data/everybody') response.end('{"result":true}')
    else if (mood !== '') MOODS[mood]?.(response)
    else {
      const { principal, resource } = (JSON.parse(text) as { readonly input: Input }).input
      response.end(JSON.stringify({ result: principal.id === 'ada' && resource.id === 'o1' }))
    }
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ opa: (server.address() as AddressInfo).port }))
process.once('SIGTERM', () => process.exit(0))
