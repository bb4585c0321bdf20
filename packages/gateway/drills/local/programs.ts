import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { ConfigInput } from '@breakwater/contract'
import type { LabProcess, LocalLab } from '@breakwater/drill'
import { openNetDriver } from '@breakwater/http'

import type { Wire } from '../lab/raw-client.ts'

/** What a Node process needs to run one of the programs in this folder: as source in the repository, compiled elsewhere. */
export function programArgs(program: string): readonly string[] {
  const isSource = import.meta.url.endsWith('.ts')
  const file = fileURLToPath(new URL(`./${program}${isSource ? '.ts' : '.js'}`, import.meta.url))
  return [...(isSource ? ['--conditions=source'] : []), file]
}

/** Starts a program that prints one line of JSON when it is ready. */
export async function startProgram(
  lab: LocalLab,
  program: string,
  args: readonly string[] = [],
): Promise<{ readonly process: LabProcess; readonly ports: Readonly<Record<string, number>> }> {
  const process = await lab.spawn({ name: program, args: [...programArgs(program), ...args] })
  const line = await process.waitForLine(/^\{/)
  return { process, ports: JSON.parse(line) as Record<string, number> }
}

/** Starts a program with a configuration file as its argument; gives the ports that it prints. */
export async function startProgramWithConfig(
  lab: LocalLab,
  program: string,
  config: ConfigInput,
): Promise<Readonly<Record<string, number>>> {
  const file = join(await lab.tempDir(), 'breakwater.yaml')
  await writeFile(file, JSON.stringify(config, null, 2))
  return (await startProgram(lab, program, [file])).ports
}

/** A real gateway in a process of its own. Gives the port of its listener `main`. */
export async function startGateway(lab: LocalLab, config: ConfigInput): Promise<number> {
  return (await startProgramWithConfig(lab, 'gateway-process', config))['main'] ?? 0
}

/** Real sockets for raw clients. Closed with the run. */
export function openWire(lab: LocalLab): Wire {
  const driver = openNetDriver()
  lab.defer(() => driver.close())
  return { clock: driver.clock, host: () => driver }
}

export function pause(ms: number): Promise<void> {
  return sleep(ms)
}
