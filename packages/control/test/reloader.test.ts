import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { tempDir } from '@breakwater/testkit'
import { expect, test } from 'vitest'

import { Reloader } from '../src/index.ts'
import { Stand, ask, openEcho, order } from './stand.ts'

const yaml = (port: number, routes: string): string => `
listeners: { main: { port: 0 } }
upstreams: { echo: { endpoints: ['127.0.0.1:${port}'] } }
routes:
  one: { match: /one, upstream: echo }
${routes}`

test('a route that became bad keeps its last good version, a good one is swapped', async () => {
  await using folder = await tempDir()
  await using echo = await openEcho('echo')
  const file = join(folder.path, 'breakwater.yaml')
  await writeFile(file, yaml(echo.port, ''))
  let reloader: Reloader | undefined
  await using stand = await Stand.open(yaml(echo.port, ''), (gateway) => ({
    reloader: (reloader = new Reloader({ gateway, file })),
  }))
  const statusOf = async (path: string): Promise<number> => (await ask(stand.dataUrl + path)).status

  await writeFile(file, yaml(echo.port, '  two: { match: /two, upstream: echo }').replace('/one', "'/one/{'"))
  const { status, text } = await order(`${stand.url}/reload`, {})
  expect([status, JSON.parse(text)]).toMatchObject([
    200,
    {
      isRefused: false,
      kept: ['routes.one'],
      dropped: [],
      problems: [{ path: 'routes.one.match', line: 5 }],
    },
  ])
  expect([await statusOf('/one'), await statusOf('/two')]).toEqual([200, 200])
  expect(JSON.parse((await ask(`${stand.url}/status`)).text)).toMatchObject({
    lastReload: { kept: ['routes.one'] },
  })

  await writeFile(file, 'listeners: 7')
  const refused = await order(`${stand.url}/reload`, {})
  expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
    422,
    {
      code: 'BW_CONTROL_RELOAD_REFUSED',
      problems: expect.arrayContaining([expect.objectContaining({ line: 1 })]),
    },
  ])
  expect([await statusOf('/one'), await statusOf('/two')]).toEqual([200, 200])

  await rm(file)
  expect(await reloader?.reload()).toMatchObject({
    isRefused: true,
    problems: [{ code: 'BW_CONFIG_FILE_MISSING' }],
  })
})

test('a setting that is only read at the start is named as waiting for the next one', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'breakwater.yaml')
  await writeFile(file, `overload: false\nadmin: { port: 0 }\n${yaml(1, '')}`)
  await using stand = await Stand.open(yaml(1, ''))
  const { gateway } = stand
  expect(await new Reloader({ gateway, file }).reload()).toMatchObject({
    isRefused: false,
    needsRestart: expect.arrayContaining(['overload']),
  })
})
