import { generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtempDisposableSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { TestIssuer } from '@breakwater/gateway'

import { Stand, ask, openEcho } from './stand.ts'
import type { Answer } from './stand.ts'

export const SCHEMA = `
  entity Team;
  entity User in [Team];
  entity Doc = { owner: User };
  action view, edit appliesTo { principal: [User], resource: [Doc], context: { office?: Bool } };
`
export const POLICIES = `
  @id("owners") permit (principal, action, resource) when { resource.owner == principal };
  @id("editors-view") @obligation_mask("salary") permit (principal in Team::"editors", action == Action::"view", resource);
  @id("office") permit (principal, action == Action::"view", resource) when { context has office && context.office };
`
const uid = (type: string, id: string): object => ({ type, id })
export const ENTITIES: string = JSON.stringify([
  { uid: uid('Team', 'editors') },
  { uid: uid('User', 'ann') },
  { uid: uid('User', 'bob'), parents: [uid('Team', 'editors')] },
  { uid: uid('Doc', '1'), attrs: { owner: uid('User', 'ann') } },
  { uid: uid('Doc', '2'), attrs: { owner: uid('User', 'bob') } },
])

const { issuer } = TestIssuer.create()

/** A gateway that guards documents, its admin API, and a folder for what they keep. */
export class GuardedStand implements AsyncDisposable {
  readonly folder: string
  readonly stand: Stand
  readonly #stack: AsyncDisposableStack

  private constructor(folder: string, stand: Stand, stack: AsyncDisposableStack) {
    this.folder = folder
    this.stand = stand
    this.#stack = stack
  }

  /** `section` is what stands under `authorization` beside the issuer; `%` in it is the folder. */
  static async open(section: string, prepare: (folder: string) => void = () => {}): Promise<GuardedStand> {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(mkdtempDisposableSync(join(tmpdir(), 'breakwater-admin-')))
    writeFileSync(join(path, 'docs.cedar'), POLICIES)
    writeFileSync(join(path, 'docs.cedarschema'), SCHEMA)
    writeFileSync(join(path, 'entities.json'), ENTITIES)
    prepare(path)
    const echo = stack.use(await openEcho('echo'))
    const stand = stack.use(await Stand.open(configText(section.replaceAll('%', path), echo.port)))
    return new GuardedStand(path, stand, stack.move())
  }

  get url(): string {
    return this.stand.url
  }

  /** Asks on the data port, as a user. */
  view(doc: string, user: string): Promise<Answer> {
    const claims = { kind: 'user', subject: user, audience: 'breakwater', validForMs: 60_000 } as const
    const authorization = `Bearer ${issuer.sign(claims, Date.now())}`
    return ask(`${this.stand.dataUrl}/docs/${doc}`, { headers: { authorization } })
  }

  /** The decisions on record, in order. */
  records(): readonly Readonly<Record<string, unknown>>[] {
    const folder = join(this.folder, 'log')
    const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    return lines.flatMap((line) =>
      line.includes('"by"') ? [JSON.parse(line) as Readonly<Record<string, unknown>>] : [],
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

export function configText(section: string, port: number): string {
  return `
listeners: { main: { port: 0 } }
upstreams: { echo: { endpoints: ['127.0.0.1:${port}'] } }
authorization:
  identity: { testIssuer: { publicKey: ${issuer.publicKey} } }
  replay: 0
${section}
routes:
  docs:
    match: /docs/{id}
    upstream: echo
    authorize: { action: { GET: view }, resource: { type: Doc, id: '{id}' }, context: [] }
`
}

export interface Release {
  readonly version: number
  readonly policies?: string
  readonly schema?: string
  readonly issuedAtMs?: number
}

const FORMAT = 'breakwater-authz-bundle-1'
const PAYLOAD_TYPE = 'application/vnd.breakwater.authz-bundle+json'

/** A signed bundle of the documents' policies, put together by hand: DSSE 1.0 with Ed25519. */
export function signedBundle(key: KeyObject, release: Release): string {
  const { version, policies = POLICIES, schema = SCHEMA, issuedAtMs = Date.now() } = release
  const files = [{ file: 'docs.cedar', text: policies }]
  const bundle = { format: FORMAT, name: 'breakwater', version, issuedAtMs, policies: files, schema }
  const payload = Buffer.from(JSON.stringify({ ...bundle, entities: ENTITIES }))
  const preamble = Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `)
  const sig = sign(null, Buffer.concat([preamble, payload]), key).toString('base64')
  return JSON.stringify({
    payloadType: PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ sig }],
  })
}

/** A key pair that exists for one test, and its public half as the configuration wants it. */
export function newKey(): { readonly privateKey: KeyObject; readonly trusted: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, trusted: String(publicKey.export({ format: 'jwk' }).x) }
}
