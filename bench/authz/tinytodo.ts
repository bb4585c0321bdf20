// To-do lists with an owner, a team of readers and a team of editors.
import {
  ancestorsOf,
  casbinEdges,
  entity,
  flat,
  name,
  otherPolicy,
  pick,
  reference,
  type Scenario,
  type World,
} from './world.ts'

const APPLICATION = name('Application', 'TinyTodo')
const EDITS = ['UpdateList', 'CreateTask', 'UpdateTask', 'DeleteTask']
const LIST_ACTIONS = ['GetList', 'GetList', 'GetList', 'DeleteList', ...EDITS]

function world(size: number, random: () => number): World {
  const ids = Array.from({ length: size }, (_, index) => index)
  const users = ids.map((index) => name('User', `u${index}`))
  const teams = ids.map((index) => name('Team', `t${index}`))
  const lists = ids.map((index) => ({
    uid: name('List', `l${index}`),
    owner: pick(users, random),
    readers: pick(teams, random),
    editors: pick(teams, random),
  }))
  const entities = [
    entity(APPLICATION, []),
    ...users.map((user) => entity(user, [APPLICATION, pick(teams, random), pick(teams, random)])),
    ...teams.map((team, index) =>
      entity(team, [APPLICATION, ...teams.slice(index >> 1, index >> 1 < index ? (index >> 1) + 1 : 0)]),
    ),
    ...lists.map(({ uid, owner, readers, editors }) =>
      entity(uid, [APPLICATION], {
        name: `list ${uid.id}`,
        owner: reference(owner),
        readers: reference(readers),
        editors: reference(editors),
      }),
    ),
  ]
  return {
    entities,
    questions: Array.from({ length: 200 }, () => {
      if (random() < 0.1) {
        return { principal: pick(users, random), action: name('Action', 'GetLists'), resource: APPLICATION }
      }
      const { uid, owner } = pick(lists, random)
      const principal = random() < 0.2 ? owner : pick(users, random)
      return { principal, action: name('Action', pick(LIST_ACTIONS, random)), resource: uid }
    }),
    casbin: [
      ...casbinEdges(entities, new Set(['User', 'Team'])),
      ['p', flat(APPLICATION), flat(APPLICATION), 'use'],
      ...lists.flatMap(({ uid, owner, readers, editors }) => [
        ['p', flat(owner), flat(uid), 'own'],
        ['p', flat(readers), flat(uid), 'read'],
        ['p', flat(editors), flat(uid), 'edit'],
      ]),
    ],
    rulesOf(user) {
      const mine = { $in: ancestorsOf(entities, name('User', user)) }
      return [
        { action: ['CreateList', 'GetLists'], subject: 'Application' },
        { action: ['GetList', 'DeleteList', ...EDITS], subject: 'List', conditions: { owner: user } },
        { action: ['GetList'], subject: 'List', conditions: { readers: mine } },
        { action: ['GetList', ...EDITS], subject: 'List', conditions: { editors: mine } },
      ]
    },
    objectOf(resource) {
      const list = lists.find(({ uid }) => uid.id === resource.id)
      if (list === undefined) return {}
      return { owner: list.owner.id, readers: flat(list.readers), editors: flat(list.editors) }
    },
  }
}

export const tinytodo: Scenario = {
  name: 'tinytodo',
  policies: `
    permit (principal, action in [Action::"CreateList", Action::"GetLists"], resource == Application::"TinyTodo");
    permit (principal, action, resource is List) when { resource has owner && resource.owner == principal };
    permit (principal, action == Action::"GetList", resource is List)
      when { principal in resource.readers || principal in resource.editors };
    permit (principal, action in [Action::"UpdateList", Action::"CreateTask", Action::"UpdateTask", Action::"DeleteTask"], resource is List)
      when { principal in resource.editors };`,
  rego: `
    allow if { input.action in {"CreateList", "GetLists"}; input.resource == "Application:TinyTodo" }
    allow if { resource.type == "List"; resource.owner == input.principal }
    allow if { input.action == "GetList"; resource.type == "List"; principal.within[resource.readers] }
    allow if { input.action == "GetList"; resource.type == "List"; principal.within[resource.editors] }
    allow if { input.action in {"UpdateList", "CreateTask", "UpdateTask", "DeleteTask"}; resource.type == "List"; principal.within[resource.editors] }`,
  rights: {
    CreateList: ['use'],
    GetLists: ['use'],
    GetList: ['read', 'edit', 'own'],
    DeleteList: ['own'],
    ...Object.fromEntries(EDITS.map((action) => [action, ['edit', 'own']])),
  },
  other(index) {
    const types = { team: 'Team', container: 'Application', object: 'List' }
    const { cedar, right, rego } = otherPolicy(index, types, 'GetList')
    return { cedar, casbin: ['p', ...right, 'read'], rego }
  },
  world,
}
