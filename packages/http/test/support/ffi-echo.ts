// A process that lives for an ffi driver alone: greets, echoes, and when its input ends closes the driver, or only its port. It may
// have called itself, and hung up at once.
import { openFfiDriver } from '../../src/index.ts'
import type { Transport, TransportHandler } from '../../src/index.ts'

const opened = openFfiDriver()
if (opened.ok) {
  const driver = opened.value
  const listener = await driver.listen({ host: '127.0.0.1', port: 0 }, (transport) => {
    transport.write('hi, ')
    return {
      onBytes: (bytes) => void transport.write(Buffer.from(bytes)),
      onDrain: () => undefined,
      onEnd: () => transport.end(),
      onClose: () => undefined,
    }
  })
  process.stdout.write(`${JSON.stringify({ port: listener.port })}\n`)
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage()
    process.stdout.write(
      `${JSON.stringify({ connections: listener.connections, cpuMs: (user + system) / 1000 })}\n`,
    )
  })
  if (process.argv.includes('hang-up')) {
    const hangUp = (transport: Transport): TransportHandler => {
      transport.destroy()
      return { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }
    }
    const failed = (error: Error): never => {
      throw error
    }
    driver.connect({ host: '127.0.0.1', port: listener.port }, hangUp, failed)
  }
  process.stdin.on('end', () => void (process.argv.includes('port') ? listener : driver).close())
  process.stdin.unref()
} else {
  process.stdout.write(`${JSON.stringify({ refused: opened.error })}\n`)
  process.stdin.destroy()
}
