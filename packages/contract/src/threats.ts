/** One thing that goes wrong, said before any control that answers it. A control without a threat is removed. */
export interface Threat {
  /** Kebab-case, stable: used in the register, on the command line and in reports. Never renamed, never reused. */
  readonly id: string
  readonly title: string
  /** What an operator sees when it happens. */
  readonly looksLike: string
  /** What answers it, in one or two sentences. */
  readonly defence: string
  /** What stays possible with every defence on. Never empty. */
  readonly notCovered: string
  /** The RFC, paper, book or advisory that describes it. */
  readonly source: string
}

/** A threat as it is written down: its id is made from its key. */
export type ThreatSpec = Omit<Threat, 'id'>

/** The threats by their camelCase key; each knows its kebab-case id. */
export type ThreatCatalogue<Specs extends Readonly<Record<string, ThreatSpec>>> = {
  readonly [Key in keyof Specs]: Threat
}

/** Turns a table of threats into a catalogue: the key `retryStorm` gets the id `retry-storm`. */
export function defineThreats<const Specs extends Readonly<Record<string, ThreatSpec>>>(
  specs: Specs,
): ThreatCatalogue<Specs> {
  const entries = Object.entries(specs).map(([key, spec]) => [
    key,
    Object.freeze({ id: kebab(key), ...spec }),
  ])
  return Object.freeze(Object.fromEntries(entries)) as ThreatCatalogue<Specs>
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
}

/** Everything that Breakwater's gateway and resilience library defend against, and what they leave open. */
export const threats = defineThreats({
  cascadingFailure: {
    title: 'One slow dependency takes its callers down with it',
    looksLike:
      'Services that have nothing wrong with them answer 503: their connections and workers all wait for a dependency several hops away.',
    defence:
      'A timeout on every call, a circuit breaker and a bulkhead per upstream, and a degraded answer for what is optional.',
    notCovered:
      'A dependency without which there is no useful answer: its callers fail fast, but they fail. Calls between services that do not pass through Breakwater.',
    source: 'M. Nygard, Release It! (2nd ed.), "Cascading Failures"; Google SRE Book, ch. 22',
  },
  retryStorm: {
    title: 'Retries multiply the load on a service that is already failing',
    looksLike:
      'Traffic to the failing service triples (or is 27-fold with three layers that retry) just when it can serve least.',
    defence:
      'A retry budget per upstream, shared with hedging: extra tries are at most a ratio of the real traffic plus a small floor. An open breaker stops them all.',
    notCovered:
      'Clients in front of the gateway that retry on their own: rate limits and shedding bound those.',
    source: 'Google SRE Book, ch. 21 "Deciding to Retry"; Finagle RetryBudget',
  },
  thunderingHerd: {
    title: 'All clients come back at the same instant',
    looksLike:
      'A recovered service falls over again at once: load arrives in synchronised waves after each outage or expiry.',
    defence:
      'Full jitter on every wait, coalescing of equal requests in flight, slow start of endpoints that have come back.',
    notCovered: 'Clients outside that wait without jitter: what exceeds the capacity is shed, not spread.',
    source: 'AWS Builders’ Library, "Timeouts, retries, and backoff with jitter" (M. Brooker)',
  },
  resourceExhaustion: {
    title: 'One bad dependency eats what all share',
    looksLike:
      'Requests to healthy upstreams wait or fail because connections, workers and memory are held by calls to a sick one.',
    defence:
      'A bulkhead per upstream: a bounded number of calls in flight, a bounded queue and a bounded wait.',
    notCovered: 'Exhaustion inside the upstream itself by one of its other callers.',
    source: 'M. Nygard, Release It! (2nd ed.), "Bulkheads"; Netflix Hystrix, "How it Works"',
  },
  partialFailure: {
    title: 'An optional part fails and the whole answer with it',
    looksLike:
      'A page or an order fails entirely although only recommendations, stock texts or prices of one kind are missing.',
    defence:
      'A degradation ladder per route (full, stale, partial, static) that names the degraded parts in a response header; optional upstreams do not make the gateway unready.',
    notCovered: 'Parts that are composed inside a service: the ladder works on whole routes.',
    source: 'Google SRE Book, ch. 22 "Load Shedding and Graceful Degradation"',
  },
  lostDeadline: {
    title: 'Work goes on for callers who have gone',
    looksLike:
      'Services are busy and their queues long, yet most of what they finish is thrown away: the caller gave up seconds ago.',
    defence:
      'Deadlines travel over every hop in a header, only ever shrink, and expired work is refused on arrival; a caller who leaves cancels the upstream call.',
    notCovered: 'Services that ignore the header and the closed connection finish what they have begun.',
    source: 'Google SRE Book, ch. 22 "Latency and Deadlines"; gRPC, "Deadlines"',
  },
  duplicateEffect: {
    title: 'A retried write happens twice',
    looksLike: 'Two payments for one order: the first try succeeded, only its answer was lost.',
    defence:
      'Writes are never retried without an idempotency key; with one, the first answer is kept and given again to every repetition.',
    notCovered:
      'A crash of the gateway between the upstream’s commit and the record of its answer, when the upstream does not look at the key itself.',
    source: 'draft-ietf-httpapi-idempotency-key-header; RFC 9110 §9.2.2',
  },
  stuckHalfOpen: {
    title: 'The breaker never closes again, or its probes flood the patient',
    looksLike:
      'An upstream has been healthy for an hour and still gets no traffic; or a hundred callers probe it at once and it falls again.',
    defence:
      'Exactly one probe until it is decided; a probe that is lost or cancelled gives its place back; open time grows up to a bound.',
    notCovered:
      'An upstream that answers probes well and real traffic badly: the breaker will open and close in turn, at growing distances.',
    source:
      'M. Nygard, Release It! (2nd ed.), "Circuit Breaker"; known defects of opossum, cockatiel and gobreaker',
  },
  overload: {
    title: 'More work arrives than can be done',
    looksLike:
      'Latency grows without bound, every request times out, throughput of useful answers falls to nothing.',
    defence:
      'An adaptive concurrency limit, and shedding by queueing delay that keeps the top priority’s latency and shares the rest fairly between tenants.',
    notCovered:
      'Network saturation in front of the listener; lack of capacity lasting longer than callers are patient.',
    source:
      'Google SRE Book, ch. 21; Netflix concurrency-limits; K. Nichols and V. Jacobson, CoDel (RFC 8289)',
  },
  metastableFailure: {
    title: 'The overload outlives its trigger',
    looksLike:
      'A ten-second spike is long over, yet goodput stays near zero: retries and stale queued work keep the system down until someone intervenes.',
    defence:
      'Retry budgets, client throttling, queues in deadline order and refusal of expired work take away the feedback that sustains it.',
    notCovered:
      'Feedback loops inside the services (cold caches, garbage collection) that need no extra request to go on.',
    source: 'N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021',
  },
  slowClients: {
    title: 'Clients that send or read a byte now and then hold everything',
    looksLike:
      'Connections and upstream slots are all taken, CPU is idle: heads that never end, bodies at one byte a second, answers nobody reads.',
    defence:
      'Separate limits for the first byte, the head, the idle body, the minimum byte rate and the stalled reader; a cap on connections, also per client address.',
    notCovered:
      'An attacker with very many addresses who keeps just above the minimum rate: the cap on all connections then hits honest clients as well.',
    source: 'Slowloris (CVE-2007-6750); RFC 9112 §9.5',
  },
  requestSmuggling: {
    title: 'Two servers disagree on where a request ends',
    looksLike:
      'A client gets another client’s answer; requests appear upstream that nobody sent through the front door.',
    defence:
      'One strict parser: what is ambiguous is refused with 400 and close, never repaired; every message is written anew, none relayed.',
    notCovered:
      'Disagreement between proxies in front of Breakwater and their clients; upstreams that misread unambiguous messages.',
    source: 'RFC 9112 §11.2; J. Kettle, "HTTP Desync Attacks" (2019)',
  },
  headerAndBodyFlood: {
    title: 'Fields and bodies without end',
    looksLike:
      'Memory climbs with a few connections: thousands of fields, megabytes in one line, bodies or chunk extensions that never stop.',
    defence:
      'Limits on target, field line, field count, whole head and body, enforced while bytes arrive: 414, 431, 413.',
    notCovered:
      'Compression bombs in a body: Breakwater does not decompress, the service that does needs its own limit.',
    source: 'RFC 9110 §17.5; CWE-400',
  },
  unboundedKeys: {
    title: 'A flood of distinct keys eats the memory of the protectors',
    looksLike:
      'The limiter, the cache or the metrics grow by an entry for each forged address, tenant or path, until the process dies.',
    defence:
      'Every keyed table has a hard bound and expiry; metric labels have a budget beyond which they become "other".',
    notCovered:
      'Keys beyond the bound share fate or lose their history: a flood can make limits coarser, never the memory larger.',
    source: 'CWE-770',
  },
  badReload: {
    title: 'A configuration change takes everything down',
    looksLike: 'One mistyped line, and at the next reload all routes are gone or all streams are cut.',
    defence:
      'All mistakes are found before anything changes; a bad route keeps its last good version and says so; open streams survive the swap.',
    notCovered: 'A valid configuration that says the wrong thing.',
    source: 'Google SRE Workbook, ch. 14; Cloudflare outage of 2 July 2019',
  },
  forgedForwardedHeaders: {
    title: 'Clients claim to be somebody else’s address',
    looksLike: 'Rate limits by address do nothing; logs and allow-lists see 127.0.0.1 from the internet.',
    defence:
      'Forwarded and X-Forwarded-* from anyone but the configured networks are discarded; what is sent upstream is made from the socket.',
    notCovered: 'A trusted proxy that passes on its own client’s claims unchecked.',
    source: 'RFC 7239 §8.1',
  },
  transientFault: {
    title: 'A passing fault costs users an error',
    looksLike:
      'A server restarts, a connection is reset, and each time some users see an error although the next server was well.',
    defence: 'What is safe to repeat is tried again, elsewhere first, within the retry budget.',
    notCovered: 'Writes without an idempotency key; answers that broke off after they had begun.',
    source: 'AWS Builders’ Library, "Timeouts, retries, and backoff with jitter" (M. Brooker)',
  },
  brokenEndpoint: {
    title: 'One broken server of several swallows its share of all requests',
    looksLike:
      'A third of the requests fails or hangs, at random: one of three servers answers errors at once, or nothing at all.',
    defence:
      'Active health checks, ejection of servers that fail more than their neighbours, and a limit for each try so that another can follow.',
    notCovered:
      'A server that answers quickly, politely and wrongly; a fault that all servers share, for which the breaker is there.',
    source: 'Envoy, "Outlier detection"; Google SRE Book, ch. 20 "Load Balancing in the Datacenter"',
  },
  tailLatency: {
    title: 'The slowest server sets everybody’s p99',
    looksLike: 'The median is fine, one request in fifty takes ten times as long: somebody else’s batch job.',
    defence:
      'A second try at another server once the first takes longer than nearly all do, within the retry budget.',
    notCovered: 'Writes; slowness that all servers share, which a second try would only add to.',
    source: 'J. Dean and L. A. Barroso, "The Tail at Scale", CACM 56(2), 2013',
  },
  noisyNeighbour: {
    title: 'One tenant takes what belongs to all',
    looksLike: 'One customer’s script sends ten times its share, and every other customer waits.',
    defence:
      'A rate for each tenant, key or address, refused with 429 and Retry-After before anything is spent.',
    notCovered:
      'An attacker with many tenants, keys or addresses: what all of them send is bounded by shedding alone.',
    source: 'Google SRE Book, ch. 21 "Per-Customer Limits"; RFC 6585 §4',
  },
  processExhaustion: {
    title: 'The gateway itself runs out of memory, time or descriptors',
    looksLike:
      'One slow upstream makes requests pile up until the process dies, and with it the way to all the others.',
    defence:
      'The process watches its event loop, heap and descriptors; near a limit it closes idle connections, refuses the least important work, and in the end new connections.',
    notCovered: 'Memory that is taken faster than the interval between two looks.',
    source: 'Envoy, "Overload manager"; CWE-400',
  },
  abruptStop: {
    title: 'A deployment cuts the requests under way',
    looksLike:
      'With every release a burst of resets: whoever was waiting for an answer when the process ended gets none.',
    defence:
      'Draining: not ready first, then no new connections, answers under way are finished up to a limit, and only then the end.',
    notCovered: 'Streams that outlive the limit; a process that is killed instead of asked.',
    source: 'Kubernetes, "Pod Lifecycle: Termination of Pods"; twelve-factor app, IX "Disposability"',
  },
  brokenObjectAuthorization: {
    title: 'Whoever knows a number reads what is behind it',
    looksLike: 'A customer counts up the id in the address and sees the orders and invoices of others.',
    defence:
      'Every route names its object, and the policies are asked about that very object; where it is hidden, what is forbidden looks like what does not exist.',
    notCovered:
      'Objects that only the service knows: there the guard of the library asks, where the object is loaded.',
    source: 'OWASP API Security Top 10 (2023), API1; CWE-639',
  },
  brokenFunctionAuthorization: {
    title: 'A door is hidden instead of locked',
    looksLike: 'The page shows no button for it, but whoever sends the request administers the shop.',
    defence: 'Every method of every route declares an action, and a route that does not is refused at load.',
    notCovered: 'Functions that hide in the body of a request that is allowed: batch calls, GraphQL.',
    source: 'OWASP API Security Top 10 (2023), API5; CWE-285',
  },
  authorizationBypass: {
    title: 'The same door, spelt differently, is open',
    looksLike:
      '/admin asks for a permission; /Admin, //admin, /admin/, HEAD, an override field or a second tunnel does not.',
    defence:
      'A path that a lenient server would take for that of another route is refused, override fields are removed, HEAD asks what GET asks, and what is not declared is not reachable.',
    notCovered: 'Services that take the method or the object from the body or the query.',
    source: 'CWE-288, CWE-289; CVE-2022-22978; OWASP WSTG-ATHZ-02',
  },
  forgedIdentity: {
    title: 'A request says who it is, and is believed',
    looksLike:
      'A header that the gateway is meant to set comes from outside; a token is unsigned or signed by somebody else.',
    defence:
      'Only signed tokens count, with key and algorithm from the configuration; fields that name the caller are removed on the way in and set anew.',
    notCovered: 'Tokens that were stolen, until they expire.',
    source: 'RFC 8725 §3; CWE-290, CWE-347',
  },
  overPoweredService: {
    title: 'A job for reports pays money out',
    looksLike:
      'A service whose user may refund, or a user whose service may, is enough: each lends its rights to the other.',
    defence: 'Decisions are on the pair of workload and user; each needs the right of its own.',
    notCovered: 'A workload that is allowed both and is taken over.',
    source: 'N. Hardy, "The Confused Deputy" (1988); CWE-441',
  },
  panicInCheck: {
    title: 'The check breaks and the request goes on',
    looksLike: 'A missing claim makes the check throw; a handler far above recovers and carries on.',
    defence:
      'Whatever the check throws is a deny with a code; the process lives and serves the next request.',
    notCovered: 'A check that is wrong without failing: that is what the tests of policies are for.',
    source: 'CWE-636, CWE-755',
  },
  policyEngineDown: {
    title: 'Nobody can be asked, so everybody may',
    looksLike:
      'The policies are too old, or the engine that knows them is dead or talks nonsense, and access goes on as if nothing were.',
    defence: 'No decision is a deny, told apart from a refusal: 503, not 403.',
    notCovered: 'Availability: while nobody can decide, nobody is let in but on public routes.',
    source: 'CWE-636; OWASP ASVS 4.1.5',
  },
  stalePermission: {
    title: 'A right that was taken away still works',
    looksLike: 'An operator is dismissed at ten and administers until the token expires at noon.',
    defence:
      'Roles are looked up at every decision, not read from the token: a change counts for the next request, and tunnels and streams that it ends are cut.',
    notCovered: 'Short answers and uploads that began before the change.',
    source: 'OWASP ASVS 3.5; CWE-613',
  },
  roleFromBody: {
    title: 'Users promote themselves',
    looksLike: 'A profile is saved with one field more than the form has: the role, the owner, the tenant.',
    defence: 'Bodies are read field by field from a list that cannot hold what the server assigns.',
    notCovered: 'Services that read bodies without the guard.',
    source: 'OWASP API Security Top 10 (2023), API3; CWE-915',
  },
  listLeak: {
    title: 'The list is filtered, its length is not',
    looksLike:
      'A page shows one order "of 3 812"; the second page is empty; the count moves when a competitor sells.',
    defence:
      'What may be seen becomes a condition of the query, so that pages and counts are made from the same rows.',
    notCovered: 'Aggregates that are computed elsewhere, such as exports.',
    source: 'OWASP API Security Top 10 (2023), API3; CWE-359',
  },
  decisionTampering: {
    title: 'The record of who was let in is edited',
    looksLike: 'After an incident the log shows nothing: the lines were changed, removed, or never written.',
    defence:
      'Every decision is in a hash-chained log before it is acted on; an edit, a gap or a cut shows when it is verified.',
    notCovered: 'Who can rewrite the whole log and has its key, when no seal was kept elsewhere.',
    source: 'B. Schneier and J. Kelsey, "Secure Audit Logs" (1999); CWE-778',
  },
  policyRollback: {
    title: 'Old policies come back',
    looksLike:
      'A right was taken away last week; a restored backup, or somebody with an old file, gives it back. The file is genuine.',
    defence:
      'Policies are signed and numbered, and none is taken that is older than any ever taken, nor after a restart.',
    notCovered: 'Whoever holds the signing key, or owns the folder in which the highest number stands.',
    source:
      'J. Samuel et al., "Survivable Key Compromise in Software Update Systems" (2010), rollback attacks',
  },
  limitInSlices: {
    title: 'A limit for each time is passed by asking many times',
    looksLike:
      'Support may refund 50 euros. Somebody does so nine times for one invoice, or twelve times in the same instant, and each request was in order.',
    defence:
      'What was done before is an attribute of the object, so that a policy limits the sum; the effect is written only onto the sum that was decided on.',
    notCovered: 'Slices over many objects, each within the limit.',
    source: 'OWASP API Security Top 10 (2023), API6; CWE-837, CWE-367',
  },
  excessiveAnswer: {
    title: 'A service answers with more than the caller may see',
    looksLike:
      'An old service gives every client whole objects and whole lists, and leaves it to the screen what of them is shown.',
    defence:
      'The gateway reads the answer, leaves out the fields that a policy masks, and asks the policies about each row of a list; what it cannot read it does not pass on.',
    notCovered:
      'Pages that were made before rows are left out: short pages, and counts that no route names, tell that there is more. What a service says in fields of HTTP, and fields that its callers may name themselves (aliases of GraphQL).',
    source: 'OWASP API Security Top 10 (2023), API3; CWE-213',
  },
})
