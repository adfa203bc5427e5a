import { availableParallelism } from 'node:os';
import {
  COMMON_SETTINGS,
  developmentWarnings,
  grpcAddress,
  integer,
  loadConfig,
  port,
  readGrpcTls,
  setting,
  text,
} from '@jobber/shared/config';
import type { GrpcTls } from '@jobber/shared/grpc';

const CORES = availableParallelism();

const SETTINGS = {
  ...COMMON_SETTINGS,
  host: setting('EXECUTOR_HOST', text('127.0.0.1')),
  port: setting('EXECUTOR_PORT', port(3002)),
  jobsGrpcUrl: setting('JOBS_GRPC_URL', grpcAddress('localhost:5002')),
  productsGrpcUrl: setting('PRODUCTS_GRPC_URL', grpcAddress('localhost:5001')),
  concurrency: setting('EXECUTOR_CONCURRENCY', integer(Math.max(4, 2 * CORES), { min: 1, max: 1_000 })),
  threads: setting('EXECUTOR_THREADS', integer(CORES, { min: 1, max: 256 })),
  threadMemoryMb: setting('EXECUTOR_THREAD_MEMORY_MB', integer(256, { min: 16, max: 65_536 })),
  maxTasks: setting('EXECUTOR_MAX_TASKS', integer(256, { min: 1, max: 10_000 })),
  jobTypes: setting('JOBBER_JOB_TYPES', text('')),
};

/** What the executor needs to know; see `.env.example` for what each variable means. */
export interface ExecutorConfig extends Omit<ReturnType<typeof readSettings>, 'grpcTlsCa'> {
  readonly tls: GrpcTls | undefined;
  /** What is accepted only because this is development; for the log. */
  readonly warnings: readonly string[];
  /** What handlers in threads see as process.env: no secret is part of it. */
  readonly handlerEnvironment: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError that names every problem at once */
export function loadExecutorConfig(environment: Environment): ExecutorConfig {
  const settings = readSettings(environment);
  const secrets = new Set(
    Object.values(SETTINGS).flatMap(({ secret, variable }) => (secret ? [variable] : [])),
  );
  return {
    ...settings,
    tls: readGrpcTls(settings),
    warnings: developmentWarnings(SETTINGS, environment),
    handlerEnvironment: Object.fromEntries(
      Object.entries(environment).filter(([variable]) => !secrets.has(variable)),
    ),
  };
}

function readSettings(environment: Environment) {
  return loadConfig(SETTINGS, environment);
}
