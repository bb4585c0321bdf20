// Documents in folders, shared with people and groups through views, owned by one, sometimes public.
import {
  ancestorsOf,
  casbinEdges,
  entity,
  flat,
  name,
  otherPolicy,
  pick,
  reference,
  type Name,
  type Scenario,
  type World,
} from './world.ts'

const ACTIONS = ['readDocument', 'readDocument', 'readDocument', 'writeDocument', 'shareDocument']

function world(size: number, random: () => number): World {
  const ids = Array.from({ length: size }, (_, index) => index)
  const users = ids.map((index) => name('User', `u${index}`))
  const views = users.map(({ id }) => name('View', id))
  const groupViews = ids.map((index) => name('View', `g${index}`))
  const folders = ids.map((index) => name('Folder', `f${index}`))
  const documents = ids.map((index) => name('Document', `d${index}`))
  const membersOf = ids.map(() => [pick(views, random), pick(views, random)])
  const owners = new Map(documents.map((document) => [flat(document), pick(users, random)]))
  const open = new Set(documents.filter(() => random() < 0.1).map(flat))
  const shares = (): Name[] => (random() < 0.5 ? [pick(views, random)] : [pick(groupViews, random)])
  const entities = [
    ...users.map((user) => entity(user, [], { views: reference(name('View', user.id)) })),
    ...views.map((view) => entity(view, [])),
    ...groupViews.map((view, index) => entity(view, membersOf[index] ?? [])),
    ...folders.map((folder, index) => {
      const parent = folders[index >> 1]
      return entity(folder, [...shares(), ...(index > 0 && parent !== undefined ? [parent] : [])])
    }),
    ...documents.map((document) =>
      entity(document, [...shares(), pick(folders, random)], {
        owner: reference(owners.get(flat(document)) ?? pick(users, random)),
        isPublic: open.has(flat(document)),
      }),
    ),
  ]
  return {
    entities,
    questions: Array.from({ length: 200 }, () => {
      const resource = pick(documents, random)
      const owner = owners.get(flat(resource))
      const principal = random() < 0.2 && owner !== undefined ? owner : pick(users, random)
      return { principal, action: name('Action', pick(ACTIONS, random)), resource }
    }),
    casbin: [
      ...casbinEdges(entities, new Set(['User'])),
      ...users.flatMap((user) => [
        ['g', flat(user), 'everyone'],
        ['p', flat(user), `View:${user.id}`, 'view'],
      ]),
      ...documents.map((document) => [
        'p',
        flat(owners.get(flat(document)) ?? document),
        flat(document),
        'own',
      ]),
      ...[...open].map((document) => ['p', 'everyone', document, 'view']),
    ],
    rulesOf: (user) => [
      { action: ['readDocument'], subject: 'Document', conditions: { isPublic: true } },
      {
        action: ['readDocument', 'writeDocument', 'shareDocument'],
        subject: 'Document',
        conditions: { owner: user },
      },
      { action: ['readDocument'], subject: 'Document', conditions: { within: { $in: [`View:${user}`] } } },
    ],
    objectOf: (resource) => ({
      owner: owners.get(flat(resource))?.id,
      isPublic: open.has(flat(resource)),
      within: ancestorsOf(entities, resource),
    }),
  }
}

export const gdrive: Scenario = {
  name: 'gdrive',
  policies: `
    permit (principal, action == Action::"readDocument", resource is Document) when { resource.isPublic };
    permit (principal, action in [Action::"readDocument", Action::"writeDocument", Action::"shareDocument"], resource is Document)
      when { resource.owner == principal };
    permit (principal, action == Action::"readDocument", resource is Document) when { resource in principal.views };`,
  rego: `
    allow if { input.action == "readDocument"; resource.type == "Document"; resource.isPublic }
    allow if { input.action in {"readDocument", "writeDocument", "shareDocument"}; resource.type == "Document"; resource.owner == input.principal }
    allow if { input.action == "readDocument"; resource.type == "Document"; resource.within[principal.views] }`,
  rights: {
    readDocument: ['view', 'own'],
    writeDocument: ['own'],
    shareDocument: ['own'],
  },
  other(index) {
    const types = { team: 'Group', container: 'Folder', object: 'Document' }
    const { cedar, right, rego } = otherPolicy(index, types, 'readDocument')
    return { cedar, casbin: ['p', ...right, 'view'], rego }
  },
  world,
}
