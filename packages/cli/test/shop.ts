import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { freePort, spawnNode } from '@breakwater/testkit'
import type { NodeProcess } from '@breakwater/testkit'

export const root: string = join(import.meta.dirname, '../../..')
const shop = join(root, 'examples/shop')

/** A copy of the shop's configuration in `folder`, everything of it on ports that were free a moment ago. */
export async function shopConfig(
  folder: string,
): Promise<{ readonly file: string; readonly ports: readonly number[] }> {
  const ports: number[] = []
  let text = readFileSync(join(shop, 'breakwater.yaml'), 'utf8')
  for (const port of ['8080', '4101', '4102', '4103', '4104', '4105']) {
    const free = await freePort()
    ports.push(free)
    text = text.replaceAll(port, String(free))
    const service = new RegExp(
      `(command: .*\\n)((?:    env: .*\\n)?)(    health: \\{ url: http://127.0.0.1:${free}/)`,
    )
    text = text.replace(
      service,
      `$1    cwd: ${shop}\n    env: { PORT: '${free}', SHOP_DATA_DIR: '${folder}/data' }\n$3`,
    )
  }
  text = text.replace('policies: policies', `policies: ${join(shop, 'policies')}`)
  const admin = await freePort()
  const file = join(folder, 'breakwater.yaml')
  writeFileSync(file, `admin: { port: ${admin} }\n${text}`)
  return { file, ports: [...ports, admin] }
}

/** `breakwater …` as a user's shell runs it. */
export function breakwater(args: readonly string[], env: Readonly<Record<string, string>> = {}): NodeProcess {
  return spawnNode([join(root, 'packages/cli/bin/breakwater.js'), ...args], { cwd: root, env })
}

/** `npm start -- …` without npm: what its script runs. */
export function npmStart(args: readonly string[], env: Readonly<Record<string, string>> = {}): NodeProcess {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string }
  }
  const [, ...words] = scripts.start.split(' ')
  return spawnNode([...words, ...args], { cwd: root, env })
}

/** A gateway in front of one endpoint, all on the given ports. */
export function smallConfig(
  file: string,
  ports: { readonly gateway: number; readonly admin: number; readonly upstream: number },
  more = '',
): void {
  writeFileSync(
    file,
    `listeners: { main: { port: ${ports.gateway} } }
admin: { port: ${ports.admin} }
upstreams:
  hello:
    endpoints: [127.0.0.1:${ports.upstream}]
routes:
  hello: { match: /hello, upstream: hello }
${more}`,
  )
}
