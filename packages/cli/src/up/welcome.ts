import type { GatewayConfig } from '@breakwater/contract'
import { formatStandIns, standInsOf } from './stand-ins.ts'
import { suggestionsFor } from './suggestions.ts'

export interface Running {
  readonly config: GatewayConfig
  /** As the user named it. */
  readonly file: string
  /** URL by listener. */
  readonly gatewayUrls: ReadonlyMap<string, string>
  readonly adminUrl: string | undefined
  /** Where the access log goes; `undefined` when it is off. */
  readonly accessLog: string | undefined
}

/** What is printed when everything runs: where, what to try, what is simulated, how to stop. */
export function welcomeText({ config, file, gatewayUrls, adminUrl, accessLog }: Running): string {
  const { services, reload } = config
  const rows: readonly (readonly [string, string])[] = [
    ...Array.from(gatewayUrls, ([name, url]) => [gatewayUrls.size === 1 ? 'gateway' : name, url] as const),
    ['admin', adminUrl === undefined ? 'off' : `${adminUrl}  (/status /metrics /config /healthz/ready)`],
    ...(services.length === 0 ? [] : [['services', services.map(({ name }) => name).join(', ')] as const]),
    ['access log', accessLog ?? 'off'],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const [firstUrl = ''] = gatewayUrls.values()
  const commands = suggestionsFor(config, firstUrl, adminUrl).map(
    ({ title, command, expect }, index) =>
      `  ${index + 1}. ${title}\n     ${command.replaceAll('{config}', quoted(file))}\n${expect === undefined ? '' : `     → ${expect}\n`}`,
  )
  const standIns = standInsOf(config)
  return [
    `\nBreakwater runs ${config.name} from ${file}\n\n`,
    ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`),
    ...(commands.length === 0 ? [] : ['\nTry, in another terminal:\n\n', ...commands]),
    ...(standIns.length === 0 ? [] : ['\nEmbedded stand-ins in use:\n\n', formatStandIns(standIns)]),
    `\n${reload.watch ? 'A change of the file is read at once, as with SIGHUP.' : 'SIGHUP reads the file again.'} Ctrl-C stops.\n\n`,
  ].join('')
}

/** A file as a shell takes it for one word. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`
}
