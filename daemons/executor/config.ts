import { availableParallelism } from 'node:os';
import { brokerSection } from '@jobber/shared/broker';
import {
  type DaemonConfig,
  grpcAddress,
  integer,
  loadDaemonConfig,
  port,
  setting,
  text,
} from '@jobber/shared/config';

const CORES = availableParallelism();

const SETTINGS = {
  host: setting('EXECUTOR_HOST', text('127.0.0.1')),
  port: setting('EXECUTOR_PORT', port(3002)),
  jobsGrpcUrl: setting('JOBS_GRPC_URL', grpcAddress('localhost:5002')),
  productsGrpcUrl: setting('PRODUCTS_GRPC_URL', grpcAddress('localhost:5001')),
  concurrency: setting('EXECUTOR_CONCURRENCY', integer(Math.max(4, 2 * CORES), { min: 1, max: 1_000 })),
  threads: setting('EXECUTOR_THREADS', integer(CORES, { min: 1, max: 256 })),
  processes: setting('EXECUTOR_PROCESSES', integer(CORES, { min: 1, max: 256 })),
  threadMemoryMb: setting('EXECUTOR_THREAD_MEMORY_MB', integer(256, { min: 16, max: 65_536 })),
  maxTasks: setting('EXECUTOR_MAX_TASKS', integer(512, { min: 1, max: 10_000 })),
  jobTypes: setting('JOBBER_JOB_TYPES', text('')),
};

const SECTIONS = { broker: brokerSection };

/** What the executor needs to know; see `.env.example` for what each variable means. */
export type ExecutorConfig = DaemonConfig<typeof SETTINGS, typeof SECTIONS>;

/** @throws ConfigError that names every problem at once */
export function loadExecutorConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ExecutorConfig {
  return loadDaemonConfig(SETTINGS, environment, SECTIONS);
}
