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
import { withSecretFiles } from './secret-files.ts';
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

/** A part of the configuration that is read as one, because its settings depend on each other. */
export interface ConfigSection<T> {
  readonly secretVariables: readonly string[];
  /** Throws ConfigError. */
  read(environment: Environment): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a record of sections of any types
type Sections = Record<string, ConfigSection<any>>;

type SectionsOf<S extends Sections> = { readonly [K in keyof S]: ReturnType<S[K]['read']> };

/** A daemon's own settings and sections, and what every daemon has. */
export type DaemonConfig<
  Own extends Settings,
  Parts extends Sections = Record<never, never>,
> = ConfigOf<Own> &
  SectionsOf<Parts> &
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
 * Secrets may come from files that `<variable>_FILE` names.
 * @throws ConfigError that names every problem at once, those of files, certificates and sections included
 */
export function loadDaemonConfig<Own extends Settings, Parts extends Sections = Record<never, never>>(
  own: Own,
  given: Environment,
  sections?: Parts,
): DaemonConfig<Own, Parts> {
  const settings = { ...COMMON_SETTINGS, ...own };
  const ownSecrets = Object.values(settings).flatMap(({ secret, variable }) => (secret ? [variable] : []));
  const problems: string[] = [];
  // With the variables as they are given, when a file is no good: what else is wrong is told too.
  const environment = collectProblems(problems, () => withSecretFiles(ownSecrets, given)) ?? given;
  const config = collectProblems(problems, () => loadConfig(settings, environment));
  const tls = collectProblems(problems, () => readGrpcTls(environment));
  const parts = Object.entries(sections ?? {}).map(([key, section]) => [
    key,
    collectProblems(problems, () => section.read(environment)),
  ]);
  if (problems.length > 0) throw new ConfigError(problems);
  const warnings = developmentWarnings(settings, environment);
  const secrets = [
    ...ownSecrets,
    ...Object.values(sections ?? {}).flatMap(({ secretVariables }) => secretVariables),
  ];
  const publicEnvironment = without(secrets, environment);
  return { ...config, ...Object.fromEntries(parts), tls, warnings, publicEnvironment } as DaemonConfig<
    Own,
    Parts
  >;
}

function without(secrets: readonly string[], environment: Environment): Environment {
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
