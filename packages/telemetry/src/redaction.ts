const SECRET_NAME =
  /^(?:(?:proxy-?)?authorization|cookie|set-?cookie|pass(?:word|phrase|wd)|secret|.*[-_.]?(?:secret|token|password|api[-_]?key|private[-_]?key|credentials?))$/i
/** Credentials inside text: `Bearer …`, `Basic …`, and `user:password@` of a URL. */
const SECRET_TEXT = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}|(:\/\/[^\s/:@]*):[^\s/@]+@/gi

/** What stands in the place of a secret. */
export const REDACTED = '***'

/** Whether a key or header of this name holds a secret: `authorization`, `cookie`, `…token`, `…secret`, `…api-key` and the like. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** The text without the credentials in it. */
export function redactedText(text: string): string {
  return text.replace(SECRET_TEXT, (_match, scheme: string | undefined, url: string | undefined) =>
    scheme === undefined ? `${url ?? ''}:${REDACTED}@` : `${scheme} ${REDACTED}`,
  )
}
