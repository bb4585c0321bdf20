import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  /** Standard output and standard error, in the order in which they came. */
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
}

export interface CommandOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs a command to its end without a shell. A command that cannot be started counts as failed and says why. */
export async function runCommand(
  command: readonly string[],
  { cwd, env }: CommandOptions,
): Promise<CommandResult> {
  const [program = '', ...args] = command
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<number>()
  const chunks: Buffer[] = []
  const child = spawn(program, args, { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: Buffer[] = []
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    printed.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    said.push(chunk)
  })
  child.on('error', (error) => {
    chunks.push(Buffer.from(`cannot start ${program}: ${error.message}\n`))
    resolve(1)
  })
  child.on('close', (code) => resolve(code ?? 1))
  const code = await promise
  const seconds = (performance.now() - started) / 1000
  return { code, output: text(chunks), stdout: text(printed), stderr: text(said), seconds }
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString()
}
