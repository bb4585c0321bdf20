import { readJson } from '@breakwater/authz'
import type { AuthzRequest, Authorizer, Explanation, ValueInput } from '@breakwater/authz'
import type { JoinedPolicies } from '@breakwater/authz/operate'
import { readActionText, readUidText, requestOf } from '@breakwater/authz/testing'
import { guess } from '@breakwater/core'
import { Command } from 'commander'

import {
  Mistake,
  assumedContext,
  complain,
  findPolicies,
  guarded,
  openFolder,
  readMatrixFile,
  withPolicies,
} from './policies.ts'
import type { AuthzContext, PolicyFlags } from './policies.ts'

interface AskFlags extends PolicyFlags {
  readonly user?: string
  readonly workload?: string
  readonly principal?: string
  readonly action?: string
  readonly resource?: string
  readonly tenant?: string
  readonly context?: string
  readonly json?: true
}

interface Asked {
  readonly request: AuthzRequest
  /** `User::"u1" through Workload::"reporting": refund on Invoice::"i1"`. */
  readonly sentence: string
  readonly assumed: readonly string[]
  readonly authorizer: Authorizer
  readonly joined: JoinedPolicies
}

/** `breakwater authz explain`: why, in words. */
export function explainCommand(context: AuthzContext): Command {
  const { terminal } = context
  return withQuestion(
    new Command('explain').description('why a request is allowed or denied, in words'),
  ).action(
    guarded(terminal, (flags: AskFlags) => {
      const asked = askedOf(flags, context)
      if (asked === undefined) return
      const { authorizer, request, joined } = asked
      const decision = authorizer.decide(request)
      if (decision.failure !== undefined) {
        const { code, message } = decision.failure
        return terminal.write(
          flags.json === true
            ? json({ decision: 'deny', failure: { code, message } })
            : `deny: ${message} (${code})\nasked: ${asked.sentence}\n`,
        )
      }
      const explanation = authorizer.explain(request)
      terminal.write(flags.json === true ? json(asJson(explanation, joined)) : inWords(explanation, asked))
    }),
  )
}

/** `breakwater authz can`: the decision as an exit code. */
export function canCommand(context: AuthzContext): Command {
  const { terminal } = context
  return withQuestion(
    new Command('can').description('allow or deny: ends with 0 or 1 (2: the question cannot be asked)'),
  ).action(
    guarded(terminal, (flags: AskFlags) => {
      const asked = askedOf(flags, context)
      if (asked === undefined) return
      const { decision, reasons, failure, policyVersion } = asked.authorizer.decide(asked.request)
      const code = failure?.code
      terminal.write(
        flags.json === true
          ? json({ decision, reasons, policyVersion, ...(code !== undefined && { failure: code }) })
          : `${decision}\n`,
      )
      terminal.setExitCode(decision === 'allow' ? 0 : 1)
    }),
  )
}

function withQuestion(command: Command): Command {
  return withPolicies(command)
    .option('--user <id>', 'who asks')
    .option('--workload <id>', 'the process that asks for the user, or alone')
    .option('--principal <entity>', 'who asks, as an entity: User::"u1"')
    .requiredOption('--action <action>', 'what is asked for: refund')
    .option('--resource <entity>', 'about what: Invoice::"i1" (default: the first example that fits)')
    .option('--tenant <id>', "the tenant of the request (default: the user's own)")
    .option('--context <json>', 'more of the context, in Cedar JSON')
    .option('--json', 'print JSON')
}

function askedOf(flags: AskFlags, { terminal, folder }: AuthzContext): Asked | undefined {
  const policies = findPolicies(flags, folder)
  const { authorizer, joined } = openFolder(policies, true)
  const principal =
    flags.principal ??
    (flags.user === undefined ? undefined : named('User', flags.user)) ??
    (flags.workload === undefined ? undefined : named('Workload', flags.workload))
  if (principal === undefined) return complain(terminal, 'name who asks: --user, --workload or --principal')
  const action = readActionText(flags.action ?? '', 'action')
  const resource = flags.resource ?? exampleFor(authorizer, action)
  if (resource === undefined) {
    const why = unknownAction(authorizer, action) ?? `no example fits ${action.id}: name one with --resource`
    return complain(terminal, why)
  }
  const own = {
    ...(flags.workload !== undefined && { workload: reference('Workload', flags.workload) }),
    ...tenantOf(flags, authorizer, principal),
    ...given(flags.context),
  }
  const defaults = { ...assumedContext(readMatrixFile(policies, terminal), action.id), ...own }
  const question = { principal, action: flags.action ?? '', resource, context: {} }
  const request = requestOf(question, defaults, authorizer.store.schema)
  const assumed = Object.entries(request.context)
    .filter(([name]) => !Object.hasOwn(own, name))
    .map(([name, value]) => `${name} ${shown(value)}`)
  if (flags.resource === undefined) assumed.unshift(`resource ${resource}`)
  const { workload } = request.context
  const through = workload === undefined ? '' : ` through ${shown(workload)}`
  return {
    request,
    authorizer,
    joined,
    assumed,
    sentence: `may ${principal}${through} ${action.id} ${resource}?`,
  }
}

function tenantOf(
  flags: AskFlags,
  authorizer: Authorizer,
  principal: string,
): { readonly tenant?: ValueInput } {
  if (flags.tenant !== undefined) return { tenant: reference('Tenant', flags.tenant) }
  const { type, id } = readUidText(principal, 'principal')
  const tenant = authorizer.store.uids.find(type, id)?.record?.attributes.get('tenant')
  return typeof tenant === 'object' && tenant.kind === 'entity'
    ? { tenant: reference(tenant.type, tenant.id) }
    : {}
}

/** The first stored entity that the action may be about. */
/** What is wrong with an action that the schema does not have; undefined when it has it, or there is no schema. */
function unknownAction(
  { store }: Authorizer,
  action: { readonly type: string; readonly id: string },
): string | undefined {
  const { schema } = store
  if (schema === undefined || schema.actions.has(named(action.type, action.id))) return undefined
  const known = [...schema.actions.keys()].map((key) => readUidText(key, 'action').id)
  const meant = guess(action.id, known)
  const hint = meant === undefined ? `There are ${known.toSorted().join(', ')}` : `Did you mean ${meant}?`
  return `the schema has no action ${action.id}. ${hint}`
}

function exampleFor(
  { store }: Authorizer,
  action: { readonly type: string; readonly id: string },
): string | undefined {
  const types = store.schema?.actions.get(named(action.type, action.id))?.resourceTypes
  for (const uid of store.entities()) if (types?.has(uid.type) === true) return uid.key
  return undefined
}

function given(text: string | undefined): Readonly<Record<string, ValueInput>> {
  if (text === undefined) return {}
  const value = readJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Mistake('--context is not a JSON object such as {"amountCents": 100}')
  return value as Readonly<Record<string, ValueInput>>
}

const named = (type: string, id: string): string => `${type}::${JSON.stringify(id)}`
const reference = (type: string, id: string): ValueInput => ({ __entity: { type, id } })

/** A value of the context for people: entities and calls as Cedar writes them. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
  const { __entity, type, id } = value as {
    readonly __entity?: { readonly type: string; readonly id: string }
    readonly type?: unknown
    readonly id?: unknown
  }
  if (__entity !== undefined) return named(__entity.type, __entity.id)
  return typeof type === 'string' && typeof id === 'string' ? named(type, id) : JSON.stringify(value)
}

function inWords({ decision, policies, text }: Explanation, asked: Asked): string {
  const places = policies
    .filter(({ policyId }) => decision.reasons.includes(policyId))
    .map(({ policyId, position }) => `${asked.joined.withPlaces(position)}  ${policyId}`)
  const [head = '', ...rest] = asked.joined.withPlaces(text).split('\n')
  const obligations = decision.obligations.map(({ name, value }) => `obliged: ${name} ${value}`)
  const assumed = asked.assumed.length === 0 ? [] : [`assumed: ${asked.assumed.join(', ')}`]
  return [
    head,
    ...places.map((place) => `  ${place}`),
    `asked: ${asked.sentence}`,
    ...assumed,
    ...obligations,
    ...rest,
    '',
  ].join('\n')
}

function asJson({ decision, policies }: Explanation, joined: JoinedPolicies): object {
  const { reasons, policyVersion, obligations } = decision
  return {
    decision: decision.decision,
    reasons,
    policyVersion,
    obligations,
    policies: policies.map(({ position, sentence, ...rest }) => ({
      ...rest,
      position: joined.withPlaces(position),
      sentence: joined.withPlaces(sentence),
    })),
  }
}

function json(content: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...content }, null, 2)}\n`
}
