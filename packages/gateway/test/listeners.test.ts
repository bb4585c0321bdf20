import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'

import { resolveObject } from '@breakwater/contract'
import type { GatewayConfig } from '@breakwater/contract'
import { Gateway } from '@breakwater/gateway'
import { freePort, hasOpenssl, makeCertificate } from '@breakwater/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { GATEWAY_PORT, drillConfig } from '../drills/lab/config.ts'
import { parseAnswers } from './support/answers.ts'
import { closing } from './support/closing.ts'
import { SOCKETS } from './support/sockets.ts'
import { Origin, Stage } from './support/stage.ts'

const services = { shop: {} } as const
/** A stage whose listeners are these: names with ports. */
async function open(limits: { maxConnections?: number; maxConnectionsPerAddress?: number | false } = {}) {
  const stage = await Stage.open({ services })
  await Origin.open(stage, 'shop')
  const reload = (ports: Readonly<Record<string, number>>, also: typeof limits = limits): Promise<void> =>
    stage.gateway.reload({
      ...drillConfig({ services }),
      listeners: Object.entries(ports).flatMap(([name, port]) =>
        drillConfig({ services, listener: { port, limits: also } }).listeners.map((one) => ({
          ...one,
          name,
        })),
      ),
    })
  await reload({ main: GATEWAY_PORT })
  return { stage, reload }
}

function isServed(stage: Stage, port: number): boolean {
  const client = stage.client('client', port)
  client.write('GET /shop/1 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n')
  stage.run(20)
  return parseAnswers(client.received)[0]?.status === 200
}

describe('the listeners of a gateway', () => {
  test('exchange their ports, and their names, at a reload', async () => {
    const { stage, reload } = await open()
    await reload({ main: GATEWAY_PORT, other: 8081 })
    await reload({ main: 8081, other: GATEWAY_PORT })
    expect(stage.gateway.addresses.get('main')).toMatchObject({ port: 8081 })
    expect(isServed(stage, GATEWAY_PORT)).toBe(true)
    expect(isServed(stage, 8081)).toBe(true)
    await reload({ renamed: 8081 })
    expect([...stage.gateway.addresses.keys()]).toEqual(['renamed'])
    expect(isServed(stage, 8081)).toBe(true)
    expect(isServed(stage, GATEWAY_PORT)).toBe(false)
  })

  test('change their limits on the open port; what a client holds from before still counts', async () => {
    const { stage, reload } = await open({ maxConnectionsPerAddress: 2 })
    const held = [stage.client(), stage.client()]
    held[0]?.write('GET /shop/1 HTTP/1.1\r\nHost')
    stage.run(20)
    await reload({ main: GATEWAY_PORT }, { maxConnectionsPerAddress: 1 })
    stage.run(20)
    expect(held.map(({ isOpen }) => isOpen)).toEqual([true, true])
    const refused = stage.client()
    stage.run(20)
    expect(refused.isOpen).toBe(false)
    for (const client of held) client.close()
    stage.run(400)
    const welcome = stage.client()
    stage.run(20)
    expect(welcome.isOpen).toBe(true)
  })

  test('count what a client holds from a time without a limit, too', async () => {
    const { stage, reload } = await open({ maxConnectionsPerAddress: false })
    const early = [stage.client(), stage.client()]
    for (const client of early) client.write('GET /shop/1 HTTP/1.1\r\nHost')
    stage.run(20)
    await reload({ main: GATEWAY_PORT }, { maxConnectionsPerAddress: 3 })
    const late = [stage.client(), stage.client()]
    stage.run(20)
    expect([...early, ...late].map(({ isOpen }) => isOpen)).toEqual([true, true, true, false])
  })

  test('are as before when one of them cannot open', async () => {
    const { stage, reload } = await open()
    const before = stage.client()
    await stage.host('gateway').listen({ host: '0.0.0.0', port: 9999 }, () => ({
      onBytes() {},
      onDrain() {},
      onEnd() {},
      onClose() {},
    }))
    const change = reload({ changed: GATEWAY_PORT, extra: 8082, blocked: 9999 }, { maxConnections: 1 })
    await expect(change).rejects.toMatchObject({ code: 'BW_GATEWAY_START_FAILED' })
    stage.run(2_000)
    expect(before.isOpen).toBe(true)
    expect(isServed(stage, GATEWAY_PORT)).toBe(true)
    expect(isServed(stage, 8082)).toBe(false)
    expect([...stage.gateway.addresses.keys()]).toEqual(['main'])
  })
})

describe.each(SOCKETS)('over $kind sockets', ({ openDriver }) => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-listeners-'))
  const file = (name: string): string => join(folder, name)
  const origin = createServer((_request, response) => response.end('ok'))

  const certify = (name: string): void =>
    makeCertificate({ certFile: file(`${name}.pem`), keyFile: file(`${name}.key`), name })
  const install = (name: string): void => {
    for (const kind of ['key', 'pem']) copyFileSync(file(`${name}.${kind}`), file(`now.${kind}`))
  }

  beforeAll(async () => {
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
    origin.close()
  })

  function configOf(listener: object): GatewayConfig {
    const { port } = origin.address() as AddressInfo
    const resolved = resolveObject(
      {
        listeners: { main: { host: '127.0.0.1', port: 0, ...listener } },
        upstreams: { shop: { endpoints: [`127.0.0.1:${port}`], healthCheck: false } },
        routes: { shop: { match: '/*', upstream: 'shop' } },
        admin: false,
      },
      { file: 'test' },
    )
    if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
    return resolved.value.config
  }

  /** What one connection is answered; an empty text when it is reset or refused. */
  function ask(port: number): Promise<string> {
    return new Promise((resolve) => {
      let answer = ''
      const socket = connect(port, '127.0.0.1')
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
      socket.on('error', () => resolve(''))
      socket.on('close', () => resolve(answer.slice(0, 12)))
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    })
  }

  /** The name in the certificate that a client is shown. */
  function shown(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  test('nobody is refused or reset while the settings of a listener change', async () => {
    await using driver = closing(openDriver())
    const gateway = await Gateway.open(configOf({}), { driver })
    const port = gateway.addresses.get('main')?.port ?? 0
    let isOver = false
    const answers: string[] = []
    const clients = [1, 2, 3, 4].map(async () => {
      while (!isOver) answers.push(await ask(port))
    })
    for (let round = 1; round <= 20; round += 1) {
      await gateway.reload(configOf({ limits: { maxFields: 100 + round } }))
      const enough = answers.length + 4
      while (answers.length < enough) await pause()
    }
    isOver = true
    await Promise.all(clients)
    expect(answers.filter((answer) => answer !== 'HTTP/1.1 200')).toEqual([])
    expect(gateway.addresses.get('main')?.port).toBe(port)
    await gateway.close()
  }, 20_000)

  test('a wider address on the port that is open is refused with the reason, and the port stays open', async () => {
    await using driver = closing(openDriver())
    const port = await freePort()
    const gateway = await Gateway.open(configOf({ port }), { driver })
    await expect(gateway.reload(configOf({ port, host: '0.0.0.0' }))).rejects.toMatchObject({
      code: 'BW_GATEWAY_START_FAILED',
      message: expect.stringContaining(`while this gateway listens on 127.0.0.1:${port} itself`),
    })
    expect(await ask(port)).toBe('HTTP/1.1 200')
    expect(gateway.addresses.get('main')).toMatchObject({ host: '127.0.0.1', port })
    await gateway.close()
  })

  test.runIf(hasOpenssl())(
    'handshakes that do not end count towards the connections of a client',
    async () => {
      certify('patient')
      await using driver = closing(openDriver())
      const tls = { cert: file('patient.pem'), key: file('patient.key') }
      const config = configOf({ tls, limits: { maxConnectionsPerAddress: 2 } })
      const gateway = await Gateway.open(config, { driver })
      const port = gateway.addresses.get('main')?.port ?? 0
      const silent = [1, 2].map(() => connect(port, '127.0.0.1'))
      const isServed = (): Promise<boolean> =>
        shown(port).then(
          () => true,
          () => false,
        )
      while (await isServed()) await pause()
      silent[0]?.resetAndDestroy()
      while (!(await isServed())) await pause()
      silent[1]?.resetAndDestroy()
      await gateway.close()
    },
    20_000,
  )

  test.runIf(hasOpenssl())(
    'a renewed certificate is shown from the next connection on; one that cannot be used changes nothing',
    async () => {
      for (const name of ['first', 'second']) certify(name)
      install('first')
      await using driver = closing(openDriver())
      const config = configOf({ tls: { cert: file('now.pem'), key: file('now.key') } })
      const gateway = await Gateway.open(config, { driver })
      const port = gateway.addresses.get('main')?.port ?? 0
      const early = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
      await new Promise((resolve) => early.once('secureConnect', resolve))
      expect(await shown(port)).toBe('first')
      install('second')
      await gateway.reload(config)
      expect(await shown(port)).toBe('second')
      writeFileSync(file('now.key'), 'half a key')
      await expect(gateway.reload(config)).rejects.toMatchObject({
        code: 'BW_GATEWAY_START_FAILED',
        message: expect.stringContaining(`cannot use ${file('now.pem')} and ${file('now.key')}`),
      })
      expect(await shown(port)).toBe('second')
      expect(early.closed).toBe(false)
      await gateway.reload(configOf({}))
      expect(await ask(port)).toBe('HTTP/1.1 200')
      expect(gateway.addresses.get('main')).toMatchObject({ port, isTls: false })
      early.destroy()
      await gateway.close()
    },
    20_000,
  )
})

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
