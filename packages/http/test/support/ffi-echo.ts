// A process with an ffi driver: echoes until its input ends, then closes the driver and has nothing else to live for.
import { openFfiDriver } from '../../src/index.ts'

const opened = openFfiDriver()
if (opened.ok) {
  const driver = opened.value
  const listener = await driver.listen({ host: '127.0.0.1', port: 0 }, (transport) => ({
    onBytes: (bytes) => void transport.write(Buffer.from(bytes)),
    onDrain: () => undefined,
    onEnd: () => transport.end(),
    onClose: () => undefined,
  }))
  process.stdout.write(`${JSON.stringify({ port: listener.port })}\n`)
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage()
    process.stdout.write(
      `${JSON.stringify({ connections: listener.connections, cpuMs: (user + system) / 1000 })}\n`,
    )
  })
  process.stdin.on('end', () => void driver.close())
} else {
  process.stdout.write(`${JSON.stringify({ refused: opened.error })}\n`)
  process.stdin.destroy()
}
