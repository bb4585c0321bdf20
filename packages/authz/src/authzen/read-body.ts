import { BadRequest } from './model.ts'

/**
 * The JSON of a request. Whole numbers beyond 2^53 become bigints, so that none is bent on its way to a policy.
 *
 * @throws BadRequest for a body that is too long, no UTF-8 or no JSON.
 */
export async function readBody(request: Request, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) throw new BadRequest(`a body of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
    return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && /^-?\d{16,}$/.test(context?.source ?? '')
        ? BigInt(context?.source ?? 0)
        : value,
    ) as unknown
  } catch (cause) {
    throw new BadRequest('the body is not JSON', { cause })
  }
}
