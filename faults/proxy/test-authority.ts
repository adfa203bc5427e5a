import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority of the test's own, as companies have one. Needs the program `openssl`. */
export interface TestAuthority {
  /** PEM. */
  readonly certificateFile: string;
  /** A certificate for a server. @param subject such as IP:127.0.0.1 or DNS:localhost */
  issue(subject: string): { readonly certificateFile: string; readonly keyFile: string };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** @param name of its files in the folder, which goes with the test */
export function makeAuthority(folder: string, name: string): TestAuthority {
  const file = (part: string) => join(folder, `${name}-${part}.pem`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const [key, certificateFile] = [file('key'), file('certificate')];
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    key,
    '-out',
    certificateFile,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
  );
  return {
    certificateFile,
    issue(subject) {
      const issued = { certificateFile: file('server-certificate'), keyFile: file('server-key') };
      writeFileSync(file('extensions'), `subjectAltName=${subject}\nbasicConstraints=CA:FALSE\n`);
      openssl(
        'req',
        '-new',
        ...NEW_KEY,
        '-keyout',
        issued.keyFile,
        '-out',
        file('request'),
        '-subj',
        '/CN=server',
      );
      openssl(
        ...[
          'x509',
          '-req',
          '-in',
          file('request'),
          '-CA',
          certificateFile,
          '-CAkey',
          key,
          '-set_serial',
          '1',
        ],
        ...['-extfile', file('extensions'), '-out', issued.certificateFile, '-days', '2'],
      );
      return issued;
    },
  };
}
