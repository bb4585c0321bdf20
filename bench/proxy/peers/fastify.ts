import fastifyHttpProxy from '@fastify/http-proxy'
import fastify from 'fastify'

const server = fastify()
await server.register(fastifyHttpProxy, {
  upstream: `http://127.0.0.1:${process.env['UPSTREAM_PORT']}`,
  // As many as the bench opens streams.
  undici: { connections: 4096, pipelining: 1 },
})
await server.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' })
process.on('SIGTERM', () => process.exit(0))
