// A closed loop of keep-alive connections on raw sockets. Prints one line of JSON: completed requests and failures.
// Environment: PORT, TARGET_PATH, CONNECTIONS, SECONDS, REQUESTS (stops after so many, if earlier).
import { connect } from 'node:net'

const port = Number(process.env['PORT'])
const path = process.env['TARGET_PATH'] ?? '/small'
const connections = Number(process.env['CONNECTIONS'] ?? 50)
const seconds = Number(process.env['SECONDS'] ?? 4)
const requests = Number(process.env['REQUESTS'] ?? Infinity)

const request = Buffer.from(
  `GET ${path} HTTP/1.1\r\nHost: bench.local\r\nUser-Agent: bench/1\r\nAccept: */*\r\nX-Request-Source: bench\r\n\r\n`,
)
let completed = 0
let failures = 0
let isOver = false

function open(): void {
  let expected = -1 // bytes of the answer still to come; -1 before its head was seen
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const send = (): void => {
    expected = -1
    socket.write(request)
  }
  socket.on('connect', send)
  socket.on('data', (chunk: Buffer) => {
    if (expected < 0) {
      const head = chunk.toString('latin1', 0, 2048)
      const end = head.indexOf('\r\n\r\n')
      const length = /content-length: (\d+)/i.exec(head)?.[1]
      if (end < 0 || length === undefined || !head.startsWith('HTTP/1.1 200')) {
        failures++
        socket.destroy()
        return
      }
      expected = end + 4 + Number(length)
    }
    expected -= chunk.length
    if (expected > 0) return
    completed++
    if (completed >= requests) finish()
    if (isOver) socket.destroy()
    else send()
  })
  socket.on('error', () => failures++)
  socket.on('close', () => {
    if (!isOver && failures < 1000) open()
  })
}

function finish(): void {
  if (isOver) return
  isOver = true
  process.stdout.write(JSON.stringify({ completed, failures }) + '\n', () => process.exit(0))
}

for (let index = 0; index < connections; index++) open()
setTimeout(finish, seconds * 1000)
