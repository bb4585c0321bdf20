import { z } from 'zod'

import { count, duration, field, file, flag, optionalFolder, ratio, size } from '../fields.ts'
import { controlWithoutDefault, offer, section, subsection } from '../section.ts'
import { actionName, answerSchema, entityType } from './answer.ts'
import { secretSchema } from './secret.ts'
import { breaker } from './upstream.ts'

const fieldRule = 'expected a field name such as x-user-id'
const fieldName = z
  .string(fieldRule)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, fieldRule)
  .transform((name) => name.toLowerCase())

const keyRule = 'expected an Ed25519 public key: 32 bytes in base64url, 43 characters'
const publicKey = z.string(keyRule).regex(/^[A-Za-z0-9_-]{43}$/, keyRule)

const typeOf = (description: string, name: string) =>
  field(entityType.prefault(name), description, { suffix: '', kind: 'entity type' })

const methodRule = 'expected a method in capitals such as GET'
const method = z.string(methodRule).regex(/^[A-Z][A-Z-]{0,31}$/, methodRule)

const testIssuer = section({
  keys: optionalFolder(
    'Folder of its key, private to this machine and never for a repository. Made at first use, by `breakwater up` or `breakwater authz test-token`.',
  ),
  publicKey: field(
    publicKey.optional(),
    'Its Ed25519 public key, as `breakwater authz test-token --new-key --key <file>` prints it: instead of a folder, for a gateway that is not to hold the private one.',
    {
      suffix: '',
      kind: 'public key',
    },
  ),
  name: field(
    z.string().min(1).max(200).prefault('breakwater-test-issuer'),
    'What its tokens say who made them.',
    {
      suffix: '',
      kind: 'text',
    },
  ),
})

const identity = subsection('Who asks. What a request says about itself counts only when it is signed.', {
  testIssuer: testIssuer.optional().meta({
    description:
      'An issuer of tokens for tests and trials that says that it is one. Not for production: it knows no users.',
  }),
  audience: field(
    z.string().min(1).max(200).optional(),
    'What tokens must be meant for. Left out: the name of this gateway.',
    { suffix: '', kind: 'text', whenLeftOut: 'the name of this gateway' },
  ),
  workloadHeader: field(
    fieldName.prefault('workload-authorization'),
    'Field in which a service proves which one it is, beside the user’s token in Authorization.',
    { suffix: '', kind: 'field name' },
  ),
  anonymousWorkload: field(
    z.string().min(1).max(200).prefault('browser'),
    'The workload of callers that prove none.',
    { suffix: '', kind: 'text' },
  ),
  stripHeaders: field(
    z.array(fieldName, 'expected a list of field names').prefault([]),
    'Further fields that nobody outside may set: services behind must be able to believe them.',
    { suffix: '', kind: 'list of field names' },
  ),
  userType: typeOf('Entity type of users.', 'User'),
  workloadType: typeOf('Entity type of workloads.', 'Workload'),
  tenantType: typeOf('Entity type of tenants.', 'Tenant'),
})

const identifierRule = 'expected an https address without a path, such as https://pdp.example.com'
const authzen = offer(
  'Decides for other enforcement points as well, by the Authorization API 1.0 (AuthZEN), on the admin address under `/access/v1/`. Whoever may ask there is believed when it says who wants what.',
  {
    identifier: field(
      z
        .string(identifierRule)
        .regex(/^https:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/, identifierRule)
        .optional(),
      'Address by which others know it, where something that speaks TLS stands in front.',
      { suffix: '', kind: 'https address', whenLeftOut: 'the address of the admin API' },
    ),
    types: z
      .record(z.string().min(1).max(200), entityType, 'expected a mapping')
      .prefault({})
      .meta({ description: 'Entity type by the name that others have for it: `{ user: User }`.' }),
    contextKeys: field(
      z.array(z.string().min(1).max(200), 'expected a list of names').optional(),
      'Names that the policies are told of the `context` of a question.',
      { suffix: '', kind: 'list of names', whenLeftOut: 'all' },
    ),
    search: flag('Whether it also answers which subjects, resources and actions there are.', true),
    maxBody: size.withDefault('Longest question.', '256KiB', { min: '1KiB', max: '16MiB' }),
    maxEvaluations: count.withDefault('Questions in one request.', 100, { min: 1, max: 1000 }),
  },
)

const opaAddressRule = 'expected an http or https address without a query, such as http://127.0.0.1:8181'
const opaPathRule = 'expected names joined by /, such as shop/authz/allow'
const opa = section({
  url: field(
    z.string(opaAddressRule).regex(/^https?:\/\/[^\s?#@/]+(\/[^\s?#]*)?$/, opaAddressRule),
    'Where it listens.',
    { suffix: '', kind: 'address' },
  ),
  path: field(
    z.string(opaPathRule).regex(/^\w[\w-]*(\/\w[\w-]*)*$/, opaPathRule),
    'The decision that is asked for: true or false, or a document with `allow`. Anything else, also none, is a deny and a fault.',
    { suffix: '', kind: 'path' },
  ),
  timeout: duration.withDefault('The whole question. No answer by then is a deny.', '1s', {
    min: '1ms',
    max: '60s',
  }),
  maxAnswer: size.withDefault('Longest answer.', '64KiB', { min: '64B', max: '16MiB' }),
  maxConcurrent: count.withDefault('Questions under way at the same time; beyond them: deny.', 256, {
    min: 1,
  }),
  grace: duration.withOff(
    'How long a stream or tunnel goes on while it cannot be asked whether that is still allowed; it is asked every second, and then the answer is cut.',
    '1m',
    { min: '1s' },
  ),
  token: field(secretSchema.optional(), 'Bearer token that it asks for.', {
    suffix: '',
    kind: 'secret',
    isSecret: true,
  }),
  breaker,
})

export const authorizationSchema = controlWithoutDefault(
  'Who may do what to which object. With it, every route and method declares an action or is public; what no policy permits is refused.',
  {
    policies: optionalFolder(
      'Folder of `*.cedar` files, with at most one `*.cedarschema` and an `entities.json`.',
    ),
    bundle: file.optional(
      'Signed bundle, instead of a folder. Read again at each reload; newer ones may be pushed to the admin API, which writes them here.',
    ),
    trustedKeys: field(
      z.array(publicKey, 'expected a list of public keys').prefault([]),
      'Keys whose bundles are accepted.',
      { suffix: '', kind: 'list of public keys' },
    ),
    opa: opa.optional().meta({
      description:
        'Open Policy Agent decides, over its REST API, instead of policies here. A request waits for its answer; anything but a clear allow is a deny.',
    }),
    staleAfter: duration.withOff('A bundle older than this decides nothing any more: deny.', '1d', {
      min: '1s',
    }),
    identity,
    decisionLog: optionalFolder(
      'Folder of the hash-chained log of every decision; a request goes on only once its record is written. Left out: none is kept.',
    ),
    replay: ratio.withDefault(
      'Share of the decisions that the official Cedar engine repeats in another thread, at most ten a second. A difference hands all decisions to it.',
      0.001,
    ),
    authzen,
  },
)

/** Action by method; under `*` the one for all methods that the route names. */
export type ActionByMethod = Readonly<Record<string, string>>

const action = z
  .union(
    [
      actionName,
      z
        .record(method, actionName)
        .refine((actions) => Object.keys(actions).length > 0, 'at least one method is needed'),
    ],
    'expected an action, or a mapping from methods to actions',
  )
  .transform((value): ActionByMethod => (typeof value === 'string' ? { '*': value } : value))

const resource = section({
  type: field(entityType, 'Entity type of the object.', { suffix: '', kind: 'entity type' }),
  id: field(
    z.string('expected an id').min(1, 'expected an id').max(200),
    'Its id: `{name}` is a piece of the path, `$tenant` and `$user` are those of the token, anything else is itself.',
    { suffix: '', kind: 'text' },
  ),
})

/** A fact about the call that policies can ask for in their context. All of them are verified or measured here. */
const fact = z.enum(
  ['workload', 'tenant', 'now', 'method', 'clientAddress'],
  'expected one of workload, tenant, now, method, clientAddress',
)

export const authorizeSchema = section({
  action: field(action, 'The action, or one for each method: `{ GET: viewOrder, DELETE: cancelOrder }`.', {
    suffix: '',
    kind: 'action | mapping',
  }),
  resource: resource.meta({ description: 'The object it is done to.' }),
  context: field(
    z.array(fact, 'expected a list').prefault(['workload']),
    'What the policies are told in `context`.',
    {
      suffix: '',
      kind: 'list of workload | tenant | now | method | clientAddress',
    },
  ),
  notFound: flag(
    'Whether a refusal looks like an object that does not exist (404 instead of 403): then nobody learns what there is.',
    false,
  ),
  obligations: field(
    z.array(z.string().min(1).max(100), 'expected a list of names').prefault([]),
    'Obligations that the upstream carries out; they are named to it in `x-authenticated-obligations`. A decision with any other is refused.',
    { suffix: '', kind: 'list of names' },
  ),
  answer: answerSchema,
})

export const publicSchema = field(
  z
    .union(
      [z.boolean(), z.array(method, 'expected a list of methods')],
      'expected true, or a list of methods',
    )
    .prefault([]),
  'Everybody may: `true`, or the methods for which it is so, such as `[OPTIONS]`.',
  { suffix: '', kind: 'true | list of methods' },
)
