import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { which } from '../lib/process.ts'

export interface Peer {
  readonly name: string
  /** The command to start, or why this machine cannot. */
  readonly command: readonly string[] | { readonly absent: string }
  readonly env?: Readonly<Record<string, string>>
}

const here = import.meta.dirname
const source = ['--conditions=source', '--disable-warning=ExperimentalWarning']
/** As `npm start` starts it. */
const asStarted = [...source, '--max-semi-space-size=8']

/** A line for each request, in a file, as both proxies come: or none, to see what the line costs nginx. */
type Logging = 'a line a request' | 'none'

const nginxConfig = (port: number, upstream: number, folder: string, logging: Logging): string => `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log crit;
events { worker_connections 8192; }
http {
  access_log ${logging === 'none' ? 'off' : `${folder}/access.log combined`}; keepalive_requests 100000000; tcp_nodelay on; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream backend { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
    location /events { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600s; }
  }
}`

const haproxyConfig = (port: number, upstream: number): string => `
global
  nbthread 1
  maxconn 8192
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-keep-alive
  # Without it the kernel holds each event of a stream for up to 200 ms, and sends it in nobody's time.
  option http-no-delay
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server s1 127.0.0.1:${upstream}
`

const gatewayConfig = (port: number, upstream: number, folder: string, driver: 'net' | 'ffi'): string => `
listeners:
  # The load generator is one address: as many connections for it as for the whole listener.
  public: { port: ${port}, limits: { maxConnectionsPerAddress: 10000 } }
upstreams:
  backend: { endpoints: [127.0.0.1:${upstream}], pool: { maxConnections: 8192 } }
routes:
  all: { match: /*, upstream: backend }
admin: { port: ${port + 1} }
telemetry: { accessLog: { to: ${folder}/access.jsonl } }
sockets: { driver: ${driver} }
`

/**
 * Every proxy of the comparison, configured to do the same thing: forward to one upstream, keep connections alive, and log
 * each request: nginx and Breakwater to a file, HAProxy, which knows no files, to standard output. The proxies for Node log
 * nothing.
 */
export function peersOn(port: number, upstream: number): { peers: readonly Peer[] } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-'))
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const nginx = which('nginx')
  const nginxCommand = (name: string, logging: Logging): Peer['command'] =>
    nginx === undefined
      ? { absent: 'Debian package nginx is not installed' }
      : [nginx, '-c', file(`${name}.conf`, nginxConfig(port, upstream, folder, logging))]
  const haproxy = which('haproxy')
  const script = (name: string): readonly string[] => [process.execPath, ...source, join(here, 'peers', name)]
  const breakwater = (driver: 'net' | 'ffi'): Peer['command'] => [
    process.execPath,
    ...asStarted,
    join(here, '../../packages/cli/src/main.ts'),
    'up',
    '--config',
    file(`breakwater-${driver}.yaml`, gatewayConfig(port, upstream, folder, driver)),
  ]
  const env = { PORT: String(port), UPSTREAM_PORT: String(upstream) }
  const peers: readonly Peer[] = [
    { name: 'nginx', command: nginxCommand('nginx', 'a line a request') },
    { name: 'nginx without its log', command: nginxCommand('nginx-silent', 'none') },
    {
      name: 'haproxy',
      command:
        haproxy === undefined
          ? { absent: 'Debian package haproxy is not installed' }
          : [haproxy, '-q', '-f', file('haproxy.cfg', haproxyConfig(port, upstream))],
    },
    { name: 'breakwater', command: breakwater('net') },
    { name: 'breakwater (ffi driver)', command: breakwater('ffi') },
    { name: 'http-proxy-3', command: script('http-proxy-3.ts'), env },
    { name: '@fastify/http-proxy', command: script('fastify.ts'), env },
  ]
  return { peers, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
