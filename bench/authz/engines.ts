// Every engine gets the same questions in the form that suits it best, prepared before the clock starts.
import type { Authorizer } from '@breakwater/authz'
import { createMongoAbility, subject as caslSubject, type MongoAbility } from '@casl/ability'
import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { newEnforcer, newModelFromString, StringAdapter, type Enforcer } from 'casbin'
import type { Subject } from './measure.ts'
import { flat, type Question, type Scenario, type World } from './world.ts'

/** Breakwater with every request looked up before. */
export function interned(authorizer: Authorizer, questions: readonly Question[]): Subject {
  const prepared = questions.map((question) => authorizer.prepare(question))
  return subjectOf(16, prepared, (request) => authorizer.decide(request).decision === 'allow')
}

/** Breakwater with the request read each time. */
export function parsing(authorizer: Authorizer, questions: readonly Question[]): Subject {
  return subjectOf(16, questions, (request) => authorizer.decide(request).decision === 'allow')
}

/** cedar-wasm with the policies parsed before and only the entities that the question can touch. */
export function cedarWasm(policySet: string, world: World, questions: readonly Question[]): Subject {
  const calls = questions.map((question) => ({
    principal: { ...question.principal },
    action: { ...question.action },
    resource: { ...question.resource },
    context: {},
    preparsedPolicySetId: policySet,
    entities: sliceOf(world, question) as cedar.Entities,
  }))
  return subjectOf(1, calls, (call) => {
    const answer = cedar.statefulIsAuthorized(call)
    if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join())
    return answer.response.decision === 'allow'
  })
}

/** The entities that principal and resource reach over parents and attributes. */
function sliceOf(world: World, { principal, resource }: Question): object[] {
  const known = new Map(world.entities.map((one) => [flat(one.uid as Question['principal']), one]))
  const wanted = new Set([flat(principal), flat(resource)])
  for (const one of wanted) {
    const entity = known.get(one)
    const named = Object.values(entity?.attrs ?? {}).flatMap((value) =>
      typeof value === 'object' && '__entity' in value ? [value['__entity']] : [],
    )
    for (const uid of [...(entity?.parents ?? []), ...named]) wanted.add(flat(uid as Question['principal']))
  }
  return [...wanted].flatMap((one) => {
    const entity = known.get(one)
    return entity === undefined ? [] : [{ parents: [], attrs: {}, ...entity }]
  })
}

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
g2 = _, _
g3 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g3(r.act, p.act) && g(r.sub, p.sub) && g2(r.obj, p.obj)
`

/** casbin's enforcer: groups, containers and rights as roles, one line per grant, and per policy about others. */
export async function loadCasbin(scenario: Scenario, world: World, others: number): Promise<Enforcer> {
  const rights = Object.entries(scenario.rights).flatMap(([action, list]) =>
    list.map((right) => ['g3', action, right]),
  )
  const more = Array.from({ length: others }, (_, index) => scenario.other(index).casbin)
  const text = [...world.casbin, ...rights, ...more].map((line) => line.join(', ')).join('\n')
  return await newEnforcer(newModelFromString(MODEL), new StringAdapter(text))
}

export function casbin(enforcer: Enforcer, questions: readonly Question[]): Subject {
  const calls = questions.map(({ principal, action, resource }) => [
    flat(principal),
    flat(resource),
    action.id,
  ])
  return subjectOf(1, calls, ([who, what, action]) => enforcer.enforceSync(who, what, action))
}

/** CASL: an ability for each user, made before; the application has picked that user's rules out of all policies. */
export function casl(world: World, questions: readonly Question[]): Subject {
  const abilities = new Map<string, MongoAbility>()
  const calls = questions.map(({ principal, action, resource }) => {
    const ability = abilities.get(principal.id) ?? createMongoAbility(world.rulesOf(principal.id))
    abilities.set(principal.id, ability)
    return { ability, action: action.id, object: caslSubject(resource.type, world.objectOf(resource)) }
  })
  return subjectOf(16, calls, ({ ability, action, object }) => ability.can(action, object))
}

export function subjectOf<Call>(
  group: number,
  calls: readonly Call[],
  allows: (call: Call) => boolean,
): Subject {
  return {
    group,
    run(from, count) {
      let allowed = 0
      for (let index = from; index < from + count; index += 1) {
        if (allows(calls[index % calls.length] as Call)) allowed += 1
      }
      return allowed
    },
  }
}
