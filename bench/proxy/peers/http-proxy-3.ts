import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy-3'

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${process.env['UPSTREAM_PORT']}`,
  // As many as the bench opens streams.
  agent: new Agent({ keepAlive: true, maxSockets: 4096 }),
})
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502).end()
})
createServer((request, response) => proxy.web(request, response)).listen(
  Number(process.env['PORT']),
  '127.0.0.1',
)
process.on('SIGTERM', () => process.exit(0))
