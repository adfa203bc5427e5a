import { brokerSection } from '@jobber/shared/broker';
import {
  type DaemonConfig,
  grpcAddress,
  integer,
  loadDaemonConfig,
  port,
  postgresUrl,
  setting,
  text,
} from '@jobber/shared/config';
import { s3Url } from './uploads/s3-location.ts';

const GIB = 1024 ** 3;

const SETTINGS = {
  host: setting('JOBS_HOST', text('127.0.0.1')),
  port: setting('JOBS_PORT', port(3001)),
  grpcPort: setting('JOBS_GRPC_PORT', port(5002)),
  /** For how long it serves on after the signal to stop. */
  drainSeconds: setting('JOBS_DRAIN_SECONDS', integer(0, { min: 0, max: 600 })),
  databaseUrl: setting('JOBS_DATABASE_URL', postgresUrl(), { secret: true }),
  authGrpcUrl: setting('AUTH_GRPC_URL', grpcAddress('localhost:5000')),
  /** Folder of the uploads. */
  uploadsDir: setting('JOBS_UPLOADS_DIR', text('uploads')),
  /** A bucket that takes the place of the folder. */
  uploadsUrl: setting('JOBS_UPLOADS_URL', s3Url(), { secret: true }),
  uploadMaxBytes: setting('JOBS_UPLOAD_MAX_BYTES', integer(GIB, { min: 1, max: 1024 * GIB })),
  /** All uploads of one user together. */
  uploadQuotaBytes: setting('JOBS_UPLOAD_QUOTA_BYTES', integer(10 * GIB, { min: 1, max: 1024 * 1024 * GIB })),
  /** After this time an upload is removed, unless an unfinished job reads it. */
  uploadRetentionDays: setting('JOBS_UPLOAD_RETENTION_DAYS', integer(30, { min: 1, max: 36_500 })),
  /** How long an upload may pause. */
  uploadStallSeconds: setting('JOBS_UPLOAD_STALL_SECONDS', integer(30, { min: 1, max: 3600 })),
  /** Tasks that one user may have running at the same time; 0: no limit. */
  maxRunningPerUser: setting('JOBS_MAX_RUNNING_PER_USER', integer(0, { min: 0, max: 1_000_000 })),
  /** How long an executor may be silent before its tasks are given to others. */
  leaseSeconds: setting('JOBS_LEASE_SECONDS', integer(15, { min: 1, max: 3600 })),
  /** With a broker: how long a task may be dispatched and not started before its hint is taken for lost. */
  hintSeconds: setting('JOBS_HINT_SECONDS', integer(30, { min: 1, max: 3600 })),
};

const SECTIONS = { broker: brokerSection };

/** What Jobs needs to know; see `.env.example` for what each variable means. */
export type JobsConfig = DaemonConfig<typeof SETTINGS, typeof SECTIONS>;

/** @throws ConfigError that names every problem at once */
export function loadJobsConfig(environment: Readonly<Record<string, string | undefined>>): JobsConfig {
  return loadDaemonConfig(SETTINGS, environment, SECTIONS);
}
