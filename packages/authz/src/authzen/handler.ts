import type { Decision } from '../engine/decision.ts'
import type { AuthzRequest } from '../engine/request.ts'
import { AuthzError } from '../errors.ts'
import { decisionOnTheWire, evaluateAll, type DecideEvaluation } from './evaluate.ts'
import { mapEvaluation, type AuthZenMapping } from './mapping.ts'
import { BadRequest, isFields, readEvaluation } from './model.ts'
import { readBody } from './read-body.ts'
import { search, type AuthZenCandidates, type SearchKind } from './search.ts'

export interface AuthZenOptions {
  /**
   * Identifier of this decision point: an https URL without query and fragment (§9), or for enforcement points on the same
   * machine an http URL of a loopback address. The endpoints are below it.
   */
  readonly policyDecisionPoint: string
  /** Whether the caller may ask at all: an enforcement point that proved who it is. There is no default. */
  readonly authenticate: (request: Request) => boolean | Promise<boolean>
  /** Decides, and records where decisions are recorded: an answer is acted on as soon as it is sent. */
  readonly decide: (request: AuthzRequest) => Omit<Decision, 'engine'> | Promise<Omit<Decision, 'engine'>>
  readonly mapping?: AuthZenMapping
  /** What the search endpoints look through. Without it there are none. */
  readonly candidates?: AuthZenCandidates
  /** Entries of one evaluations request. Default 100. */
  readonly maxEvaluations?: number
  /** Default 256 KiB. */
  readonly maxBodyBytes?: number
}

/** Answers one HTTP request. Never rejects. */
export type AuthZenHandler = (request: Request) => Promise<Response>

const WELL_KNOWN = '/.well-known/authzen-configuration'
const PATHS = {
  access_evaluation_endpoint: '/access/v1/evaluation',
  access_evaluations_endpoint: '/access/v1/evaluations',
  search_subject_endpoint: '/access/v1/search/subject',
  search_resource_endpoint: '/access/v1/search/resource',
  search_action_endpoint: '/access/v1/search/action',
} as const

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

type Answer = (body: Readonly<Record<string, unknown>>) => Promise<object>

/**
 * The HTTPS binding of the Authorization API 1.0 (AuthZEN, openid.net/specs/authorization-api-1_0.html): evaluation,
 * evaluations, searches and metadata.
 *
 * @throws `BW_AUTHZ_OPTIONS_INVALID` for an identifier that is not as described.
 */
export function createAuthZenHandler(options: AuthZenOptions): AuthZenHandler {
  const { maxBodyBytes = 262_144, authenticate } = options
  const base = baseOf(options.policyDecisionPoint)
  const metadata = metadataOf(options, base)
  const answers = answersOf(options, base.pathname.replace(/\/$/, ''))
  const wellKnown = `${WELL_KNOWN}${base.pathname === '/' ? '' : base.pathname}`

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === wellKnown) {
      return request.method === 'GET' ? Response.json(metadata) : failure(405, 'GET only', { allow: 'GET' })
    }
    const endpoint = answers.get(pathname)
    if (endpoint === undefined) return failure(404, 'no such endpoint')
    if (request.method !== 'POST') return failure(405, 'POST only', { allow: 'POST' })
    if (!(await authenticate(request)))
      return failure(401, 'the enforcement point is not authenticated', { 'www-authenticate': 'Bearer' })
    const type = request.headers.get('content-type') ?? ''
    if (!/^application\/json\s*(?:;|$)/i.test(type))
      return failure(400, 'Content-Type must be application/json')
    const body: unknown = await readBody(request, maxBodyBytes)
    if (!isFields(body)) throw new BadRequest('expected a JSON object')
    return Response.json(await endpoint(body))
  }

  return async (request) => {
    let response: Response
    try {
      response = await answer(request)
    } catch (error) {
      // What broke inside is not the caller's to read.
      response = error instanceof BadRequest ? failure(400, error.message) : failure(500, 'internal error')
    }
    const id = request.headers.get('x-request-id')
    if (id !== null) response.headers.set('x-request-id', id)
    response.headers.set('cache-control', 'no-store')
    return response
  }
}

function answersOf(options: AuthZenOptions, prefix: string): ReadonlyMap<string, Answer> {
  const { maxEvaluations = 100, mapping = {}, candidates } = options
  const decide: DecideEvaluation = async (evaluation) => {
    try {
      return decisionOnTheWire(await options.decide(mapEvaluation(evaluation, mapping)))
    } catch {
      // Decisions default to closed (§7.2.1).
      return { decision: false, context: { error: { status: 500, message: 'BW_AUTHZ_ENGINE_FAILED' } } }
    }
  }
  const answers = new Map<string, Answer>([
    [prefix + PATHS.access_evaluation_endpoint, (body) => decide(readEvaluation(body))],
    [prefix + PATHS.access_evaluations_endpoint, (body) => evaluateAll(body, maxEvaluations, decide)],
  ])
  if (candidates === undefined) return answers
  for (const kind of ['subject', 'resource', 'action'] satisfies SearchKind[]) {
    answers.set(`${prefix}${PATHS[`search_${kind}_endpoint`]}`, (body) =>
      search(kind, body, candidates, decide),
    )
  }
  return answers
}

/** What the enforcement point learns about this decision point (§9). */
function metadataOf({ policyDecisionPoint, candidates }: AuthZenOptions, base: URL): object {
  const root = base.href.replace(/\/$/, '')
  const known = Object.entries(PATHS).filter(
    ([name]) => candidates !== undefined || !name.startsWith('search_'),
  )
  return {
    policy_decision_point: policyDecisionPoint,
    ...Object.fromEntries(known.map(([name, path]) => [name, `${root}${path}`])),
  }
}

function baseOf(policyDecisionPoint: string): URL {
  const url = URL.canParse(policyDecisionPoint) ? new URL(policyDecisionPoint) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (url === undefined || !isSafe || /[?#]/.test(policyDecisionPoint)) {
    throw new AuthzError(
      'BW_AUTHZ_OPTIONS_INVALID',
      `authzen: policyDecisionPoint ${policyDecisionPoint} must be an https URL (on loopback also http) without query and fragment`,
    )
  }
  return url
}

function failure(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(message, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  })
}
