import type { ErrorSpec } from '@breakwater/core'

/** An error catalogue as `defineErrors` makes it: one maker per code. */
export type CatalogueLike = Readonly<Record<string, { readonly code: string; readonly spec: ErrorSpec }>>

const INTRODUCTION = `# Errors

<!-- Generated from the catalogues of all packages by: node tools/generate.ts. Do not edit. -->

Switch on the code: it is never renamed and never reused. **Fault** says whose it is; **retry** whether the same request
may be sent again; **status** is what leaves the gateway, as problem+json (RFC 9457) with \`code\`, \`fault\` and \`traceId\`.
`

/** The reference page of every error, one heading a code, package by package. */
export function errorsPage(catalogues: Readonly<Record<string, CatalogueLike>>): string {
  const parts = Object.entries(catalogues)
    .filter(([, catalogue]) => Object.keys(catalogue).length > 0)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, catalogue]) => {
      const entries = Object.values(catalogue)
        .sort((a, b) => a.code.localeCompare(b.code))
        .map(
          ({ code, spec }) =>
            `### ${code}\n\nFault: ${spec.fault} · retry: ${spec.retry} · status: ${spec.status}\n\n${spec.fix}\n`,
        )
      return `## ${name}\n\n${entries.join('\n')}`
    })
  return `${INTRODUCTION}\n${parts.join('\n')}`
}
