import { LOG_LEVELS, type LogLevel } from '@jobber/shared/log';
import type { z } from 'zod';
import { type GrpcTls, readGrpcTls } from './grpc-tls.ts';
import {
  ConfigError,
  type ConfigOf,
  developmentWarnings,
  loadConfig,
  type Settings,
  setting,
} from './load-config.ts';
import { flag, oneOf, publishedSecret, secret } from './setting-kinds.ts';

/** Settings that every daemon has. */
const COMMON_SETTINGS = {
  logLevel: setting('LOG_LEVEL', oneOf(LOG_LEVELS, 'info') as z.ZodType<LogLevel>),
  environment: setting('NODE_ENV', oneOf(['production', 'development', 'test'], 'production')),
  serviceSecret: setting('SERVICE_SECRET', secret(), {
    secret: true,
    toleratedInDevelopment: publishedSecret(),
  }),
  supervised: setting('JOBBER_SUPERVISED', flag(false)),
};

/** A daemon's own settings, and what every daemon has. */
export type DaemonConfig<Own extends Settings> = ConfigOf<Own> &
  ConfigOf<typeof COMMON_SETTINGS> & {
    readonly tls: GrpcTls | undefined;
    /** What is accepted only because this is development; for the log. */
    readonly warnings: readonly string[];
    /** The environment without secrets: what code that is not ours may see. */
    readonly publicEnvironment: Environment;
  };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the whole configuration of a daemon.
 * @throws ConfigError that names every problem at once, those of the certificates included
 */
export function loadDaemonConfig<Own extends Settings>(
  own: Own,
  environment: Environment,
): DaemonConfig<Own> {
  const settings = { ...COMMON_SETTINGS, ...own };
  const problems: string[] = [];
  const config = collectProblems(problems, () => loadConfig(settings, environment));
  const tls = collectProblems(problems, () => readGrpcTls(environment));
  if (problems.length > 0) throw new ConfigError(problems);
  const warnings = developmentWarnings(settings, environment);
  const publicEnvironment = withoutSecrets(settings, environment);
  return { ...config, tls, warnings, publicEnvironment } as DaemonConfig<Own>;
}

function withoutSecrets(settings: Settings, environment: Environment): Environment {
  const secrets = Object.values(settings).flatMap(({ secret, variable }) => (secret ? [variable] : []));
  return Object.fromEntries(Object.entries(environment).filter(([variable]) => !secrets.includes(variable)));
}

function collectProblems<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}
