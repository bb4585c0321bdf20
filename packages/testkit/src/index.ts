/**
 * What the tests of several packages share: processes, ports, examples of READMEs and conformance suites.
 *
 * @module
 */

export { hasOpenssl, makeCertificate } from './certificate.ts'
export type { CertificateRequest } from './certificate.ts'
export { describeLayer } from './describe-layer.ts'
export type { LayerConformance, Parcel } from './describe-layer.ts'
export { extractExample, runExample } from './example.ts'
export { freePort, killAll, spawnNode, tempDir, waitForLine } from './process.ts'
export type { NodeProcess, SpawnNodeOptions } from './process.ts'
