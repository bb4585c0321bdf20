import type { GatewayConfig, RouteConfig } from '@breakwater/contract'

export interface Suggestion {
  readonly title: string
  readonly command: string
  readonly expect: string | undefined
}

/** Three commands that show something: those of the configuration, or made from its first routes. */
export function suggestionsFor(
  config: GatewayConfig,
  gatewayUrl: string,
  adminUrl: string | undefined,
): readonly Suggestion[] {
  const { commands } = config.welcome
  if (commands.length > 0) {
    return commands.map(({ title, command, expect }) => ({
      title,
      command: command.replaceAll('{gateway}', gatewayUrl),
      expect,
    }))
  }
  const readable = config.routes.filter(({ match }) => isReadable(match))
  const shown = (readable.length > 0 ? readable : config.routes).slice(0, adminUrl === undefined ? 3 : 2)
  return [
    ...shown.map((route) => ({
      title: `Ask the route ${route.name} (upstream ${route.upstream})`,
      command: curlOf(route, gatewayUrl),
      expect: undefined,
    })),
    ...(adminUrl === undefined
      ? []
      : [
          {
            title: 'See breakers, budgets and pools',
            command: `curl -s ${adminUrl}/status${config.admin.mode !== 'off' && config.admin.token !== undefined ? " -H 'authorization: Bearer <token>'" : ''}`,
            expect: undefined,
          },
        ]),
  ]
}

function isReadable({ methods }: RouteConfig['match']): boolean {
  return methods.length === 0 || methods.includes('GET')
}

function curlOf({ match, tenant }: RouteConfig, gatewayUrl: string): string {
  const method = isReadable(match) ? [] : [`-X ${match.methods[0] ?? 'GET'}`]
  const host = match.hosts.slice(0, 1).map((name) => `-H 'host: ${name.replace('*', 'example')}'`)
  const wanted = match.headers.map(({ name, value }) => `-H '${name}: ${value ?? '1'}'`)
  const own = tenant === undefined ? [] : [`-H '${tenant.header}: acme'`]
  // A sample of the template: the tail `*` may be empty, a `{parameter}` may not.
  const path = match.path.text.replace(/\*$/, '').replaceAll(/\{[^}]*\}/g, '1')
  return ['curl -si', ...method, ...host, ...wanted, ...own, `${gatewayUrl}${path}`].join(' ')
}
