import { execFileSync } from 'node:child_process'

/** Whether certificates can be made here. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export interface CertificateRequest {
  readonly certFile: string
  readonly keyFile: string
  /** Its common name. Default `localhost`. */
  readonly name?: string
  /** As OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`. Default: none. */
  readonly alternativeNames?: string
}

/** Makes a self-signed certificate of two days, and its key, with the `openssl` command. */
export function makeCertificate({
  certFile,
  keyFile,
  name = 'localhost',
  alternativeNames,
}: CertificateRequest): void {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = alternativeNames === undefined ? [] : ['-addext', `subjectAltName=${alternativeNames}`]
  const files = ['-keyout', keyFile, '-out', certFile]
  execFileSync('openssl', ['req', '-x509', ...kind, '-subj', `/CN=${name}`, ...names, ...files], {
    stdio: 'ignore',
  })
}
