/**
 * A gateway as a process: `gateway-process <file>`. Prints the ports of its listeners as one line of JSON, stops on SIGTERM.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import process from 'node:process'

import { formatProblem, resolveText } from '@breakwater/contract'
import { Gateway } from '@breakwater/gateway'
import { openNetDriver } from '@breakwater/http'

const file = process.argv[2] ?? ''
const resolved = resolveText(await readFile(file, 'utf8'), { file })
if (resolved.ok) {
  const driver = openNetDriver()
  const gateway = await Gateway.open(resolved.value.config, { driver })
  process.once('SIGTERM', () => {
    void gateway
      .close()
      .then(() => driver.close())
      .finally(() => process.exit(0))
  })
  const ports = [...gateway.addresses].map(([name, { port }]) => [name, port])
  console.log(JSON.stringify(Object.fromEntries(ports)))
} else {
  console.error(resolved.error.map(formatProblem).join('\n'))
  process.exit(2)
}
