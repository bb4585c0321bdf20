/**
 * What stands in front when Breakwater does not, as a process: `relays-process <file>` with the ports of the second servers
 * by name. Prints the ports of the relays, by the same names, as one line of JSON.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import process from 'node:process'

import { openNetDriver } from '@breakwater/http'

import { NaiveRelay } from '../smuggling/naive-relay.ts'
import { payloads } from '../smuggling/payloads.ts'

const HOST = '127.0.0.1'
const backends = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Record<string, number>
const driver = openNetDriver()
const ports: Record<string, number> = {}
for (const [name, port] of Object.entries(backends)) {
  const payload = payloads.find(({ id }) => id === name || `node-${id}` === name)
  if (payload === undefined) continue
  const { front: quirks, habits } = payload
  const options = { quirks, ...(habits === undefined ? {} : { habits }) }
  const relay = await NaiveRelay.open(driver, { host: HOST, port: 0 }, { host: HOST, port }, options)
  ports[name] = relay.port
}
console.log(JSON.stringify(ports))
process.once('SIGTERM', () => process.exit(0))
