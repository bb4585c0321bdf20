import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GATEWAY_URL, commandsToTry, defaultPorts, serviceNames } from '../src/index.ts'

const folder = join(import.meta.dirname, '..')
const cli = join(folder, '../../packages/cli/src/main.ts')
const yaml = readFileSync(join(folder, 'breakwater.yaml'), 'utf8')

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, ['--conditions=source', ...args], { encoding: 'utf8' })
}

test('the gateway takes the configuration of the shop', () => {
  expect(run(cli, 'config', 'validate', '--config', join(folder, 'breakwater.yaml'))).toContain('is valid')
})

test('the configuration starts every service and finds it where it listens', () => {
  for (const name of serviceNames) {
    expect(yaml).toContain(`endpoints: [127.0.0.1:${defaultPorts[name]}]`)
    expect(yaml).toContain(`src/services/${name}.ts]`)
    expect(yaml).toContain(`http://127.0.0.1:${defaultPorts[name]}/healthz/startup`)
  }
  expect(yaml).toContain(`port: ${new URL(GATEWAY_URL).port}\n`)
})

test('there are three commands to try, all for the address that is given', () => {
  const commands = commandsToTry('http://127.0.0.1:9000', 'shop.yaml')
  expect(commands).toHaveLength(3)
  for (const { command } of commands) expect(command).toMatch(/^curl -si? http:\/\/127\.0\.0\.1:9000\/shop\//)
})

test('the configuration prints the same commands when it is started', () => {
  const shown = JSON.parse(
    run(cli, 'config', 'print', '--json', '--config', join(folder, 'breakwater.yaml')),
  ) as { readonly welcome: { readonly commands: unknown } }
  expect(shown.welcome.commands).toEqual(commandsToTry('{gateway}', '{config}'))
})

test('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  const example = /```ts\n(\/\/ example: events\n.*?)```/s.exec(readme)?.[1]
  expect(example).toBeDefined()
  const file = join(import.meta.dirname, `readme-example-${process.pid}.tmp.ts`)
  try {
    writeFileSync(file, example ?? '')
    expect(run(file)).toMatch(/^ORDER_CREATED 2900\nList the products/)
  } finally {
    rmSync(file, { force: true })
  }
})

test('the route that the README shows is one of the shop', () => {
  const shown = /```ts\n(\.object\([^`]*)```/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1] ?? ''
  const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  expect(shown).not.toBe('')
  expect(squeezed(readFileSync(join(folder, 'src/orders/orders.ts'), 'utf8'))).toContain(squeezed(shown))
})
