import { isDatabaseUnavailable, openDatabase } from '@jobber/db/connection';
import { jobsDatabase } from '@jobber/db/jobs';
import { prepareDatabase } from '@jobber/db/prepare';
import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { createRemoteAuthentication } from '@jobber/shared/auth-guard';
import { type Broker, openBroker } from '@jobber/shared/broker';
import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError, unavailableWhen } from '@jobber/shared/errors';
import { createGrpcClient, serveGrpc } from '@jobber/shared/grpc';
import { createHealth } from '@jobber/shared/health';
import { serveHttp } from '@jobber/shared/http';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { createMetrics } from '@jobber/shared/telemetry';
import { createJobTypeCatalog } from './catalog/job-type-catalog.ts';
import type { JobsConfig } from './config.ts';
import { createCancellations } from './dispatch/cancellations.ts';
import { createClaimWithinLimits } from './dispatch/claim-within-limits.ts';
import { createDispatchWithinLimits } from './dispatch/dispatch-within-limits.ts';
import { createJobChanges } from './dispatch/job-changes.ts';
import { createNotifications } from './dispatch/notifications.ts';
import { createRelay, type Relay } from './dispatch/relay.ts';
import { repeat } from './dispatch/repeat.ts';
import { rescueLostTasks } from './dispatch/rescue-lost-tasks.ts';
import { createTaskFeed } from './dispatch/task-feed.ts';
import { createWaker } from './dispatch/wake-waiting.ts';
import { JOBS_SERVICE_CALLERS, jobsGrpcService } from './edges/grpc-service.ts';
import { createHttpApp } from './edges/http-app.ts';
import { createCheckInput } from './input/check-input.ts';
import { createJobsMetrics, measureQueue } from './jobs-metrics.ts';
import { isStorageUnavailable } from './uploads/object-storage.ts';
import { openStorage, type StorageLocation } from './uploads/open-storage.ts';
import { prepareStorage } from './uploads/prepare-storage.ts';
import { createUploadReader } from './uploads/upload-reader.ts';
import { createAcceptJob } from './use-cases/accept-job.ts';
import { createCancelJob } from './use-cases/cancel-job.ts';
import { cleanUpUploads } from './use-cases/clean-up-uploads.ts';
import { createExecuteJob } from './use-cases/execute-job.ts';
import { createReadJob } from './use-cases/read-jobs.ts';
import { createReadToldTasks } from './use-cases/read-running-tasks.ts';
import { createRecordOutcomes } from './use-cases/record-outcomes.ts';
import { createRetryJob } from './use-cases/retry-job.ts';
import { createStartRounds } from './use-cases/start-rounds.ts';
import { createStartTask } from './use-cases/start-task.ts';

/** Requests are answered within 5 s, also while the database is silent. */
const STATEMENT_TIMEOUT_MS = 3_500;
const RESCUE_INTERVAL_MS = 1_000;
const CLEAN_UP_INTERVAL_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

interface Context {
  readonly config: JobsConfig;
  readonly scope: Scope;
  readonly log: Logger;
  /** In place of the one that is configured. */
  readonly broker?: Broker;
}

/**
 * Starts Jobs: HTTP first, so that it can be seen to live, then the database, then gRPC. Until then requests are refused
 * as retryable.
 * @returns the ports, once it is ready; `undefined` when it was stopped before
 * @throws ConfigError when the storage of uploads can't be used or the database lacks migrations
 */
export async function startJobs(context: Context): Promise<{ port: number; grpcPort: number } | undefined> {
  const { config, scope, log } = context;
  for (const warning of config.warnings) log.warn(warning);
  const classify = unavailableWhen((error) => isDatabaseUnavailable(error) || isStorageUnavailable(error));
  const leaseMs = config.leaseSeconds * 1_000;
  const hintMs = config.hintSeconds * 1_000;
  const uploadsAt: StorageLocation = config.uploadsUrl ?? { kind: 'folder', folder: config.uploadsDir };

  await prepareStorage(uploadsAt, log);
  const storage = await openStorage(uploadsAt, config.uploadMaxBytes);
  const database = await openDatabase(jobsDatabase, {
    url: config.databaseUrl,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  scope.defer('database', database.close);
  const { orm, pool } = database;

  const registry = createMetrics('jobs');
  const metrics = createJobsMetrics(registry);
  measureQueue(registry, pool);
  const notifications = createNotifications({ databaseUrl: config.databaseUrl, scope, log });
  const shared = { orm, pool, notifications, metrics, classify, log };

  const catalog = createJobTypeCatalog(orm);
  const reader = createUploadReader(scope);
  const checkInput = createCheckInput({ orm, reader, uploadsAt });
  const maxRunningPerOwner = config.maxRunningPerUser || null;
  const limits = { pool, catalog, maxRunningPerOwner };
  const claim = createClaimWithinLimits({ ...limits, leaseMs });
  const feed = createTaskFeed({ ...shared, claim });
  const broker = context.broker ?? (config.broker && (await openBroker(config.broker, log)));
  const relay = broker && openRelay(broker);
  const cancellations = createCancellations(notifications);
  const waker = createWaker(shared);
  const isLimited = (type: string) =>
    maxRunningPerOwner !== null || (catalog.lastSeen(type)?.maxRunning ?? 0) > 0;
  const mayPlace = (type: string) => !isLimited(type);
  const reserve = (type: string) => feed.reserve(type) ?? relay?.reserve(type);
  const acceptJob = createAcceptJob({ ...shared, reserve, waker, leases: { leaseMs, hintMs }, mayPlace });
  const { executeJob, executeJobs } = createExecuteJob({ ...shared, catalog, checkInput, acceptJob });
  const readJob = createReadJob(pool, metrics);
  const cancelJob = createCancelJob({ ...shared, readJob, isLimited });
  const startRounds = createStartRounds(shared);
  const retryJob = createRetryJob({ pool, readJob, startRounds });
  const changes = createJobChanges(notifications);
  const onStarted = (type: string, executorId: string) => relay?.started(type, executorId);
  const startTask = createStartTask({ ...shared, leaseMs, onStarted });
  const recordOutcomes = createRecordOutcomes({ ...shared, waker, changes, isLimited });

  const authClient = createGrpcClient(AuthServiceDefinition, {
    address: config.authGrpcUrl,
    caller: 'jobs',
    serviceSecret: config.serviceSecret,
    tls: config.tls,
    scope,
  });
  const stopping = new AbortController();
  const health = createHealth();
  let prepared = false;
  health.addCheck({
    name: 'database',
    async check() {
      await pool.query('select 1');
      if (!prepared) throw Object.assign(new Error('not checked yet'), { code: 'STARTING' });
    },
  });
  const app = createHttpApp({
    ...shared,
    registry,
    health,
    authenticate: createRemoteAuthentication({ client: authClient, registry, scope, log }),
    resolvers: {
      ...shared,
      catalog,
      storage,
      readJob,
      executeJob,
      executeJobs,
      cancelJob,
      retryJob,
      startRounds,
    },
    uploads: {
      ...shared,
      storage,
      reader,
      uploadsAt,
      limits: { maxBytes: config.uploadMaxBytes, quotaBytes: config.uploadQuotaBytes },
      stallMs: config.uploadStallSeconds * 1_000,
    },
    events: { readJob, readToldTasks: createReadToldTasks(pool), changes, stopping: stopping.signal, log },
    production: config.environment === 'production',
  });
  const port = await serveHttp({ app, config, health, scope });
  log.info({ port }, 'HTTP listens');
  // Also when it is stopped while it starts.
  scope.defer('streams', endStreams);

  const problems = await prepareDatabase(jobsDatabase, database, {
    signal: stopping.signal,
    onFailure: (error) =>
      log.warn({ error: describeUnknownError(error) }, 'the database does not answer; trying again'),
  });
  if (problems === undefined) return undefined;
  if (problems.length > 0) throw new ConfigError(problems);
  prepared = true;
  const grpcPort = await serveGrpc({
    host: config.host,
    port: config.grpcPort,
    serviceSecret: config.serviceSecret,
    tls: config.tls,
    services: [
      {
        definition: JobsServiceDefinition,
        implementation: jobsGrpcService({
          ...shared,
          catalog,
          feed,
          cancellations,
          storage,
          recordOutcomes,
          startTask,
          leaseMs,
          stopping: stopping.signal,
        }),
        callers: JOBS_SERVICE_CALLERS,
      },
    ],
    classify,
    scope,
    log,
  });
  log.info({ port: grpcPort }, 'gRPC listens');

  waker.start(scope);
  relay?.start(scope);
  const rescue = () => rescueLostTasks({ pool, notifications, metrics, log });
  repeat('rescuing tasks', { work: rescue, intervalMs: RESCUE_INTERVAL_MS, scope, log });
  const retentionMs = config.uploadRetentionDays * DAY_MS;
  const cleanUp = (signal: AbortSignal) => cleanUpUploads({ pool, storage, retentionMs, signal, log });
  repeat('removing old uploads', { work: cleanUp, intervalMs: CLEAN_UP_INTERVAL_MS, scope, log });
  // First of all, before the server of these streams drains.
  scope.defer('task streams', endStreams);
  scope.defer('readiness', () => health.startDraining(config.drainSeconds));
  return { port, grpcPort };

  /** Clients and executors go to another replica. */
  function endStreams(): void {
    void health.startDraining();
    feed.stop();
    cancellations.stop();
    stopping.abort();
  }

  function openRelay(broker: Broker): Relay {
    scope.defer('broker', () => broker.close());
    const dispatch = createDispatchWithinLimits({ ...limits, hintMs });
    return createRelay({ ...shared, broker, catalog, dispatch, isTakenDirectly: feed.hasCredit });
  }
}
