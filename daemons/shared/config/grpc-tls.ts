import { readFileSync } from 'node:fs';
import { ConfigError } from './load-config.ts';

/** PEM texts for mutual TLS; each daemon presents its own certificate and trusts one authority. */
export interface GrpcTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const VARIABLES = {
  ca: 'GRPC_TLS_CA_FILE',
  certificate: 'GRPC_TLS_CERT_FILE',
  key: 'GRPC_TLS_KEY_FILE',
} as const;

/** Reads the files that the three variables name. @throws ConfigError when only some are set or one can't be read */
export function readGrpcTls(environment: Readonly<Record<string, string | undefined>>): GrpcTls | undefined {
  const paths = Object.values(VARIABLES).map((variable) => environment[variable]);
  if (paths.every((path) => !path)) return undefined;
  const problems: string[] = [];

  function read(variable: string): string {
    const path = environment[variable];
    if (!path) {
      problems.push(`${variable} must be set when another GRPC_TLS_ variable is`);
      return '';
    }
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      problems.push(`${variable} must name a readable file; got ${(error as NodeJS.ErrnoException).code}`);
      return '';
    }
  }

  const tls = { ca: read(VARIABLES.ca), certificate: read(VARIABLES.certificate), key: read(VARIABLES.key) };
  if (problems.length > 0) throw new ConfigError(problems);
  return tls;
}
