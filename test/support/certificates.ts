// Certificates that nobody trusts, made by openssl.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate that is signed by itself, for this name; with `days` below 0 it has expired. */
export function selfSigned({ name = 'localhost', days = 2 } = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'synap-recorder-'));
  const [key, request, cert] = ['key.pem', 'request.pem', 'cert.pem'].map(file => join(folder, file)) as [
    string,
    string,
    string,
  ];
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  try {
    const names = name === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${name}`;
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request, ...subject);
    // `openssl ca` alone takes dates.
    writeFileSync(join(folder, 'index'), '');
    writeFileSync(join(folder, 'ca.conf'), configOf(folder));
    const dates = ['-startdate', date(Math.min(days, 0) - 2), '-enddate', date(days)];
    openssl(
      'ca',
      '-batch',
      '-selfsign',
      '-config',
      join(folder, 'ca.conf'),
      '-keyfile',
      key,
      '-in',
      request,
      '-out',
      cert,
      ...dates,
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const DAY = 24 * 60 * 60_000;

/** So many days from now, as openssl wants it: 20260131235959Z. */
function date(days: number): string {
  return `${new Date(Date.now() + days * DAY).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

function configOf(folder: string): string {
  return `[ca]
default_ca = own
[own]
database = ${join(folder, 'index')}
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;
}
