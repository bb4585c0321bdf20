import { z } from 'zod'

/** Where a secret is to be read when it is needed. The secret itself is never in the configuration. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string }

const rule = 'a secret is given by reference: { env: NAME } or { file: path }'

/** Refuses plain text, and never repeats it in the message. */
export const secretSchema = z
  .union(
    [
      z.strictObject({
        env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'),
      }),
      z.strictObject({ file: z.string().min(1) }),
    ],
    rule,
  )
  .transform((value): SecretReference =>
    'env' in value ? { kind: 'env', name: value.env } : { kind: 'file', file: value.file },
  )
