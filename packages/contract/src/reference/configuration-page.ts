import type { z } from 'zod'

import { environmentName } from '../config/environment.ts'
import { gatewaySchema } from '../config/schema/schema.ts'
import { inspect } from '../config/walk.ts'

interface Row {
  readonly key: string
  readonly kind: string
  readonly range: string
  readonly fallback: string
  readonly meaning: string
}

const INTRODUCTION = `# Configuration

<!-- Generated from packages/contract by: node tools/generate.ts. Do not edit. -->

\`breakwater.yaml\`, or the object that \`breakwater.config.ts\` gives to \`defineConfig\`. In files, values are text with
units: durations \`250ms\` \`2s\` \`5m\` \`1h\` \`1d\`, sizes \`512B\` \`16KiB\` \`10MiB\` \`1GiB\`, rates \`10/s\` \`90/m\` \`5/h\`, byte rates
\`240B/s\`; ratios are numbers from 0 to 1. In code the same key ends in its unit: \`timeout: 2s\` is \`timeoutMs: 2000\`,
\`maxBody: 10MiB\` is \`maxBodyBytes: 10485760\`, \`cert: a.pem\` is \`certFile\` with an absolute name.

\`false\` switches off what says "or false": a limit becomes infinite, a control neither acts nor counts. A control is
\`false\` or a mapping with \`mode\`: \`enforce\` acts, \`dark\` decides and counts but lets everything pass, \`off\` does
nothing; where every setting has a default, \`true\` is enough. Unknown keys are mistakes.

A single value can be overridden by a variable made from its path: \`routes.chat.perTryTimeout\` by
\`${environmentName(['routes', 'chat', 'perTryTimeout'])}\`. \`breakwater config explain <path>\` tells what is in effect and where it
came from.

The smallest useful file:

\`\`\`yaml
listeners:
  public: { port: 8080 }
upstreams:
  orders:
    endpoints: [127.0.0.1:4001, 127.0.0.1:4002]
routes:
  orders:
    match: /orders/*
    upstream: orders
\`\`\`
`

/** The reference page of the configuration, in Markdown. */
export function configurationPage(): string {
  const sections: string[] = []
  collect(gatewaySchema, [], sections)
  return `${INTRODUCTION}\n${sections.join('\n')}`
}

function collect(schema: z.ZodType, path: readonly string[], sections: string[]): void {
  const { fields, member, description, info } = inspect(schema)
  if (member !== undefined) {
    const inner = inspect(member)
    if (inner.fields !== undefined) collectSection(member, [...path, '<name>'], description, sections)
    return
  }
  if (fields !== undefined) collectSection(schema, path, description, sections, info?.isControl)
}

function collectSection(
  schema: z.ZodType,
  path: readonly string[],
  description: string | undefined,
  sections: string[],
  isControl = false,
): void {
  const fields = [...(inspect(schema).fields ?? [])]
  const title = path.length === 0 ? 'Top level' : `\`${path.join('.')}\``
  const rows = fields.map(([key, field]) => rowOf(key, field)).map(formatRow)
  const heading = [
    `## ${title}${isControl ? ' (control)' : ''}`,
    '',
    ...(description === undefined ? [] : [description, '']),
  ]
  sections.push(
    [...heading, '| Key | Kind | Range | Default | Meaning |', '|---|---|---|---|---|', ...rows, ''].join(
      '\n',
    ),
  )
  for (const [key, field] of fields) if (!isLeaf(field)) collect(field, [...path, key], sections)
}

function isLeaf(schema: z.ZodType): boolean {
  const { fields, member, info } = inspect(schema)
  return (fields === undefined && member === undefined) || info?.isSecret === true
}

function rowOf(key: string, schema: z.ZodType): Row {
  const { info, description, isRequired, default: fallback, member, fields } = inspect(schema)
  const off = info?.mayBeOff === true ? ['or false'] : []
  const isSection = fields !== undefined && info === undefined
  const simple = typeof fallback === 'object' && !Array.isArray(fallback) ? undefined : fallback
  return {
    key,
    kind: info?.kind ?? (member === undefined ? 'section' : 'mapping from names'),
    range: [...(info?.range === undefined ? [] : [info.range]), ...off].join(', '),
    fallback: isRequired
      ? 'required'
      : isSection || simple === undefined
        ? ''
        : defaultText(simple, info?.isControl),
    meaning: description ?? '',
  }
}

function defaultText(value: unknown, isControl: boolean | undefined): string {
  if (isControl === true) return value === true ? 'on' : 'off'
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function formatRow({ key, kind, range, fallback, meaning }: Row): string {
  const cells = [`\`${key}\``, kind, range, fallback, meaning].map((cell) => cell.replaceAll('|', '\\|'))
  return `| ${cells.join(' | ')} |`
}
