// An authority of a test's own and a certificate of it, for 127.0.0.1 unless told otherwise, in a directory that goes with the test.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates extends AsyncDisposable {
  /** The authority's certificate, for who is to trust it. */
  readonly caFile: string;
  /** What a server of this process takes, in PEM. */
  readonly server: { readonly cert: Buffer; readonly key: Buffer };
  /** What makes a `redis-server` listen with TLS on `port` too. */
  redisArgs(port: number): string[];
}

/** `subject`: whom the certificate is for, as OpenSSL writes it. */
export async function createCertificates(subject = 'IP:127.0.0.1'): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'failopen-tls-'));
  const [ca, caKey, cert, key, request, extensions] = ['ca.crt', 'ca.key', 'r.crt', 'r.key', 'r.csr', 'r.ext'].map(
    (name) => join(dir, name),
  ) as [string, string, string, string, string, string];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(extensions, `subjectAltName=${subject}\n`);
  const openssl = (args: string[]) => run('openssl', args);
  await openssl(['req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-subj', '/CN=test authority', '-days', '2']);
  await openssl(['req', '-new', ...newKey, '-keyout', key, '-out', request, '-subj', '/CN=test redis']);
  const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', extensions, '-days', '2'];
  await openssl(['x509', '-req', '-in', request, '-out', cert, ...signed]);
  return {
    caFile: ca,
    server: { cert: await readFile(cert), key: await readFile(key) },
    redisArgs: (port) =>
      Object.entries({
        'tls-port': port,
        'tls-cert-file': cert,
        'tls-key-file': key,
        'tls-ca-cert-file': ca,
        'tls-auth-clients': 'no',
      }).flatMap(([name, value]) => [`--${name}`, String(value)]),
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
    },
  };
}
