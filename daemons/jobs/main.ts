import { readFileSync } from 'node:fs';
import {
  isDatabaseUnavailable,
  openDatabase,
  pendingMigrations,
  waitForDatabase,
} from '@jobber/db/connection';
import { jobsDatabase } from '@jobber/db/jobs';
import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { createRemoteAuthentication, guardCallers } from '@jobber/shared/auth-guard';
import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError, unavailableWhen } from '@jobber/shared/errors';
import { dateTimeScalar, exactJsonScalar, graphqlRoute } from '@jobber/shared/graphql';
import { createGrpcClient, serveGrpc } from '@jobber/shared/grpc';
import { createHealth, healthRoutes } from '@jobber/shared/health';
import { serveHttp } from '@jobber/shared/http';
import { runDaemon } from '@jobber/shared/lifecycle';
import { createMetrics, metricsRoute } from '@jobber/shared/telemetry';
import { Hono } from 'hono';
import { createJobTypeCatalog } from './catalog/job-type-catalog.ts';
import { loadJobsConfig } from './config.ts';
import { createJobChanges } from './dispatch/job-changes.ts';
import { createNotifications } from './dispatch/notifications.ts';
import { startRescueLoop } from './dispatch/rescue-loop.ts';
import { createTaskFeed } from './dispatch/task-feed.ts';
import { eventsRoute } from './edges/events-route.ts';
import { jobsResolvers } from './edges/graphql-resolvers.ts';
import { JOBS_SERVICE_CALLERS, jobsGrpcService } from './edges/grpc-service.ts';
import { uploadRoute } from './edges/upload-route.ts';
import { createLocalStorage, prepareLocalStorage } from './uploads/object-storage.ts';
import { createUploadReader } from './uploads/upload-reader.ts';
import { createExecuteJob } from './use-cases/execute-job.ts';
import { createReadJob } from './use-cases/read-jobs.ts';
import { createRecordOutcome } from './use-cases/record-outcomes.ts';

/** GraphQL requests carry items inline; larger input belongs in an upload. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const SCHEMA = readFileSync(new URL('graphql/schema.graphql', import.meta.url), 'utf8');

const environment = process.env;

await runDaemon({
  name: 'jobs',
  configure: () => loadJobsConfig(environment),
  stopWhenStdinEnds: environment['JOBBER_SUPERVISED'] === 'true',
  async start({ config, scope, log }) {
    for (const warning of config.warnings) log.warn(warning);
    const production = config.environment === 'production';
    const classify = unavailableWhen(isDatabaseUnavailable);
    const health = createHealth();
    const metrics = createMetrics('jobs');
    const stopping = new AbortController();
    const leaseMs = config.leaseSeconds * 1_000;

    await prepareLocalStorage(config.uploadsDir);
    const storage = createLocalStorage(config.uploadsDir);
    const database = await openDatabase(jobsDatabase, { url: config.databaseUrl });
    scope.defer('database', database.close);
    const { orm, pool } = database;
    let migrated = false;
    health.addCheck({
      name: 'database',
      async check() {
        await pool.query('select 1');
        if (!migrated) throw new Error('not ready');
      },
    });

    const notifications = createNotifications({ databaseUrl: config.databaseUrl, scope, log });
    const catalog = createJobTypeCatalog(orm);
    const reader = createUploadReader(scope);
    const readJob = createReadJob(pool);
    const feed = createTaskFeed({ pool, notifications, leaseMs, log });
    const recordOutcome = createRecordOutcome({ pool, notifications });
    const inputChecker = { orm, reader, uploadsDir: config.uploadsDir };
    const executeJob = createExecuteJob({ orm, pool, catalog, notifications, inputChecker });
    const changes = createJobChanges(notifications);

    const authClient = createGrpcClient(AuthServiceDefinition, {
      address: config.authGrpcUrl,
      caller: 'jobs',
      serviceSecret: config.serviceSecret,
      tls: config.tls,
      scope,
    });

    const app = new Hono();
    app.route('/', healthRoutes('jobs', health));
    app.route('/', metricsRoute(metrics));
    app.use('/jobs/*', guardCallers(createRemoteAuthentication(authClient)));
    app.route('/', eventsRoute({ readJob, changes, stopping: stopping.signal }));
    const limits = { maxBytes: config.uploadMaxBytes, quotaBytes: config.uploadQuotaBytes };
    app.route(
      '/',
      uploadRoute({ orm, storage, reader, uploadsDir: config.uploadsDir, limits, classify }, log),
    );
    app.route(
      '/',
      graphqlRoute({
        path: '/jobs/graphql',
        typeDefs: SCHEMA,
        resolvers: jobsResolvers({ orm, pool, catalog, notifications, executeJob, readJob }),
        scalars: [exactJsonScalar, dateTimeScalar],
        maxBodyBytes: MAX_BODY_BYTES,
        production,
        classify,
        log,
      }),
    );
    const httpPort = await serveHttp({ app, host: config.host, port: config.port, scope });
    log.info({ port: httpPort }, 'HTTP listens');

    await waitForDatabase(database, {
      signal: stopping.signal,
      onFailure: (error) => log.warn({ error: describeUnknownError(error) }, 'waiting for the database'),
    });
    await requireMigrations();
    migrated = true;

    startRescueLoop({ pool, notifications, scope, log });
    const grpcPort = await serveGrpc({
      host: config.host,
      port: config.grpcPort,
      serviceSecret: config.serviceSecret,
      tls: config.tls,
      services: [
        {
          definition: JobsServiceDefinition,
          implementation: jobsGrpcService({ orm, pool, catalog, feed, storage, recordOutcome, leaseMs }),
          callers: JOBS_SERVICE_CALLERS,
        },
      ],
      classify,
      scope,
      log,
    });
    log.info({ port: grpcPort }, 'gRPC listens');

    // First of all when stopping: streams end, so that clients and executors go to another replica.
    scope.defer('streams', () => {
      health.startDraining();
      feed.stop();
      stopping.abort();
    });

    async function requireMigrations(): Promise<void> {
      const missing = await pendingMigrations(database);
      if (missing.length === 0) return;
      throw new ConfigError([
        `JOBS_DATABASE_URL names a database that lacks the migrations ${missing.join(', ')}; run npm run full-migrate`,
      ]);
    }
  },
});
