import { readFileSync } from 'node:fs';
import type { GrpcTls } from '@jobber/shared/grpc';
import { LOG_LEVELS, type LogLevel } from '@jobber/shared/log';
import type { z } from 'zod';
import { ConfigError, setting } from './load-config.ts';
import { flag, oneOf, publishedSecret, secret, text } from './setting-kinds.ts';

/** Settings that every daemon has. */
export const COMMON_SETTINGS = {
  logLevel: setting('LOG_LEVEL', oneOf(LOG_LEVELS, 'info') as z.ZodType<LogLevel>),
  environment: setting('NODE_ENV', oneOf(['production', 'development', 'test'], 'production')),
  serviceSecret: setting('SERVICE_SECRET', secret(), {
    secret: true,
    toleratedInDevelopment: publishedSecret(),
  }),
  supervised: setting('JOBBER_SUPERVISED', flag(false)),
  grpcTlsCa: setting('GRPC_TLS_CA_FILE', text('')),
  grpcTlsCertificate: setting('GRPC_TLS_CERT_FILE', text('')),
  grpcTlsKey: setting('GRPC_TLS_KEY_FILE', text('')),
};

/** Reads the three files of mutual TLS. @throws ConfigError when only some are set or one can't be read. */
export function readGrpcTls(files: {
  grpcTlsCa: string;
  grpcTlsCertificate: string;
  grpcTlsKey: string;
}): GrpcTls | undefined {
  const named = {
    GRPC_TLS_CA_FILE: files.grpcTlsCa,
    GRPC_TLS_CERT_FILE: files.grpcTlsCertificate,
    GRPC_TLS_KEY_FILE: files.grpcTlsKey,
  };
  const set = Object.values(named).filter((path) => path !== '').length;
  if (set === 0) return undefined;
  const problems: string[] = [];
  const texts = Object.entries(named).map(([variable, path]) => {
    if (path === '') problems.push(`${variable} must be set when another GRPC_TLS_ variable is`);
    else {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        problems.push(`${variable} must name a readable file; got ${(error as NodeJS.ErrnoException).code}`);
      }
    }
    return '';
  });
  if (problems.length > 0) throw new ConfigError(problems);
  const [ca = '', certificate = '', key = ''] = texts;
  return { ca, certificate, key };
}
