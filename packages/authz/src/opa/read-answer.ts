import { AuthzError } from '../errors.ts'

/**
 * The JSON of a response, if it is JSON and not too long.
 *
 * @throws `BW_AUTHZ_PDP_ANSWER_INVALID`.
 */
export async function readAnswer(response: Response, maxBytes: number): Promise<unknown> {
  if (response.body === null) throw invalid('an empty answer')
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    // Leaving the loop cancels the rest of the body.
    if (bytes > maxBytes) throw invalid(`an answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch (cause) {
    throw new AuthzError('BW_AUTHZ_PDP_ANSWER_INVALID', 'an answer that is not JSON', { cause })
  }
}

function invalid(what: string): AuthzError {
  return new AuthzError('BW_AUTHZ_PDP_ANSWER_INVALID', what)
}
