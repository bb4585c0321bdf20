import type { GatewayConfig, LadderStep, RouteConfig } from '@breakwater/contract'
import { table } from '../table.ts'

/** What a route serves when it cannot serve all, best first. */
export interface RouteLadder {
  readonly route: string
  readonly match: string
  readonly upstream: string
  readonly steps: readonly string[]
}

/** The degradation ladders of all routes, as the gateway follows them. */
export function laddersOf({ routes }: GatewayConfig): readonly RouteLadder[] {
  return routes.map((route) => {
    const { methods, hosts, path } = route.match
    return {
      route: route.name,
      match: [methods.join('|'), hosts.join('|'), path.text].filter((part) => part !== '').join(' '),
      upstream: route.upstream,
      steps: ['full answer', ...lesserAnswers(route), 'error'],
    }
  })
}

/** One line a route. */
export function ladderText(ladders: readonly RouteLadder[]): string {
  return table([
    ['ROUTE', 'MATCH', 'UPSTREAM', 'LADDER'],
    ...ladders.map(({ route, match, upstream, steps }) => [route, match, upstream, steps.join(' → ')]),
  ])
}

function lesserAnswers({ ladder, staleIfError }: RouteConfig): readonly string[] {
  if (ladder.mode !== 'off') {
    return ladder.steps.map((step) => stepText(step) + (ladder.mode === 'dark' ? ' (dark)' : ''))
  }
  return staleIfError.mode === 'off' ? [] : ['stored answer']
}

function stepText(step: LadderStep): string {
  const lacks = step.parts.length === 0 ? '' : `, degraded: ${step.parts.join(' ')}`
  switch (step.serve) {
    case 'stale':
      return `stored answer${lacks}`
    case 'static':
      return `fixed answer ${step.status}${lacks}`
    case 'upstream':
      return `upstream ${step.upstream}${lacks}`
  }
}
