// Repositories with five groups of rising rights, filled by people and nested teams; issues in repositories.
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

const RIGHTS = ['readers', 'triagers', 'writers', 'maintainers', 'admins'] as const
const REPOSITORY_ACTIONS = ['pull', 'fork', 'push', 'add_reader']
const ISSUE_ACTIONS = ['assign_issue', 'edit_issue', 'delete_issue']

const groupOf = (repository: Name, right: string): Name => name('UserGroup', `${repository.id}_${right}`)

function world(size: number, random: () => number): World {
  const ids = Array.from({ length: size }, (_, index) => index)
  const users = ids.map((index) => name('User', `u${index}`))
  const teams = ids.map((index) => name('Team', `t${index}`))
  const repositories = ids.map((index) => name('Repository', `r${index}`))
  const groups = (repository: Name) => RIGHTS.map((right) => groupOf(repository, right))
  const someGroup = (): Name => groupOf(pick(repositories, random), pick(RIGHTS, random))
  const issues = ids.map((index) => {
    const repository = pick(repositories, random)
    return { uid: name('Issue', `i${index}`), repository, reporter: pick(users, random) }
  })
  const entities = [
    ...users.map((user) => entity(user, [pick(teams, random), someGroup()])),
    ...teams.map((team, index) => {
      const parent = teams[index >> 1]
      return entity(team, [someGroup(), ...(index > 0 && parent !== undefined ? [parent] : [])])
    }),
    ...repositories.flatMap((repository) =>
      // Whoever may do more may do less: admins are maintainers, and so on down to readers.
      groups(repository).map((group, index, all) => entity(group, all.slice(Math.max(0, index - 1), index))),
    ),
    ...repositories.map((repository, index) =>
      entity(
        repository,
        [name('Organization', `o${index >> 2}`)],
        Object.fromEntries(RIGHTS.map((right) => [right, reference(groupOf(repository, right))])),
      ),
    ),
    ...issues.map(({ uid, repository, reporter }) =>
      entity(uid, [repository], { repo: reference(repository), reporter: reference(reporter) }),
    ),
  ]
  const reads = (user: Name, repository: Name): boolean =>
    ancestorsOf(entities, user).includes(flat(groupOf(repository, 'readers')))
  const fieldsOf = (repository: Name) =>
    Object.fromEntries(RIGHTS.map((right) => [right, flat(groupOf(repository, right))]))
  return {
    entities,
    questions: Array.from({ length: 200 }, () => {
      if (random() < 0.6) {
        const action = name('Action', pick(REPOSITORY_ACTIONS, random))
        return { principal: pick(users, random), action, resource: pick(repositories, random) }
      }
      const { uid, reporter } = pick(issues, random)
      const principal = random() < 0.4 ? reporter : pick(users, random)
      return { principal, action: name('Action', pick(ISSUE_ACTIONS, random)), resource: uid }
    }),
    casbin: [
      ...casbinEdges(entities, new Set(['User', 'Team', 'UserGroup'])),
      ...repositories.flatMap((repository) =>
        RIGHTS.map((right) => ['p', flat(groupOf(repository, right)), flat(repository), right]),
      ),
      ...issues
        .filter(({ reporter, repository }) => reads(reporter, repository))
        .map(({ uid, reporter }) => ['p', flat(reporter), flat(uid), 'own']),
    ],
    rulesOf(user) {
      const mine = { $in: ancestorsOf(entities, name('User', user)) }
      return [
        { action: ['pull', 'fork'], subject: 'Repository', conditions: { readers: mine } },
        { action: ['push'], subject: 'Repository', conditions: { writers: mine } },
        { action: ['add_reader'], subject: 'Repository', conditions: { admins: mine } },
        { action: ['assign_issue'], subject: 'Issue', conditions: { 'repo.triagers': mine } },
        { action: ['edit_issue'], subject: 'Issue', conditions: { 'repo.writers': mine } },
        { action: ['delete_issue'], subject: 'Issue', conditions: { 'repo.maintainers': mine } },
        {
          action: ['edit_issue', 'delete_issue'],
          subject: 'Issue',
          conditions: { 'repo.readers': mine, reporter: user },
        },
      ]
    },
    objectOf(resource) {
      if (resource.type === 'Repository') return fieldsOf(resource)
      const issue = issues.find(({ uid }) => uid.id === resource.id)
      return issue === undefined ? {} : { repo: fieldsOf(issue.repository), reporter: issue.reporter.id }
    },
  }
}

export const github: Scenario = {
  name: 'github',
  policies: `
    permit (principal, action in [Action::"pull", Action::"fork"], resource is Repository) when { principal in resource.readers };
    permit (principal, action == Action::"push", resource is Repository) when { principal in resource.writers };
    permit (principal, action == Action::"add_reader", resource is Repository) when { principal in resource.admins };
    permit (principal, action == Action::"assign_issue", resource is Issue) when { principal in resource.repo.triagers };
    permit (principal, action == Action::"edit_issue", resource is Issue) when { principal in resource.repo.writers };
    permit (principal, action == Action::"edit_issue", resource is Issue)
      when { principal in resource.repo.readers && resource.reporter == principal };
    permit (principal, action == Action::"delete_issue", resource is Issue) when { principal in resource.repo.maintainers };
    permit (principal, action == Action::"delete_issue", resource is Issue)
      when { principal in resource.repo.readers && resource.reporter == principal };`,
  rego: `
    repo := data.entities[resource.repo]
    reports if { principal.within[repo.readers]; resource.reporter == input.principal }
    allow if { input.action in {"pull", "fork"}; resource.type == "Repository"; principal.within[resource.readers] }
    allow if { input.action == "push"; resource.type == "Repository"; principal.within[resource.writers] }
    allow if { input.action == "add_reader"; resource.type == "Repository"; principal.within[resource.admins] }
    allow if { input.action == "assign_issue"; resource.type == "Issue"; principal.within[repo.triagers] }
    allow if { input.action == "edit_issue"; resource.type == "Issue"; principal.within[repo.writers] }
    allow if { input.action == "edit_issue"; resource.type == "Issue"; reports }
    allow if { input.action == "delete_issue"; resource.type == "Issue"; principal.within[repo.maintainers] }
    allow if { input.action == "delete_issue"; resource.type == "Issue"; reports }`,
  rights: {
    pull: ['readers'],
    fork: ['readers'],
    push: ['writers'],
    add_reader: ['admins'],
    assign_issue: ['triagers'],
    edit_issue: ['writers', 'own'],
    delete_issue: ['maintainers', 'own'],
  },
  other(index) {
    const types = { team: 'Team', container: 'Organization', object: 'Repository' }
    const { cedar, right, rego } = otherPolicy(index, types, 'pull')
    return { cedar, casbin: ['p', ...right, 'readers'], rego }
  },
  world,
}
