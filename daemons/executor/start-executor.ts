import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { ProductsServiceDefinition } from '@jobber/proto/products/v1/products';
import { type Broker, openBroker } from '@jobber/shared/broker';
import { createGrpcClient } from '@jobber/shared/grpc';
import { createHealth, type Health, healthRoutes } from '@jobber/shared/health';
import { serveHttp } from '@jobber/shared/http';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { createMetrics, metricsRoute, type Registry } from '@jobber/shared/telemetry';
import { Hono } from 'hono';
import { startHeartbeats } from './attempts/heartbeat.ts';
import { createOutcomeStream } from './attempts/outcome-stream.ts';
import { createReports } from './attempts/report-outcomes.ts';
import { runAttempt } from './attempts/run-attempt.ts';
import { createRunningAttempts } from './attempts/running-attempts.ts';
import { createSuspects } from './attempts/suspects.ts';
import { watchCancellations } from './attempts/watch-cancellations.ts';
import type { ExecutorConfig } from './config.ts';
import { createExecutorMetrics } from './executor-metrics.ts';
import type { HandlerReport, InlineRun } from './handlers/handler-run.ts';
import { createProcessPool } from './handlers/process-pool.ts';
import { runInline } from './handlers/run-inline.ts';
import { createThreadPool } from './handlers/thread-pool.ts';
import { createDirectIntake } from './intake/direct-intake.ts';
import type { Intake } from './intake/intake.ts';
import { createPulsarIntake } from './intake/pulsar-intake.ts';
import { createStartHinted } from './intake/start-hinted.ts';
import { loadJobTypes, resolveModules } from './job-types/load-job-types.ts';
import { offerJobTypes } from './job-types/offer-job-types.ts';
import { createProductWriter } from './services/product-writer.ts';
import { createSlots } from './slots.ts';
import { createTurns } from './turns.ts';
import { createWork } from './work.ts';

/** A thread or process without work ends after this many milliseconds: it keeps some megabytes. */
const IDLE_MS = 30_000;

interface Parts {
  readonly config: ExecutorConfig;
  readonly scope: Scope;
  readonly log: Logger;
  /** In place of the one that is configured. */
  readonly broker?: Broker;
}

/**
 * Starts the executor: HTTP first, so that it can be seen to live; ready once Jobs sends it tasks, whenever that is.
 * @returns the HTTP port
 * @throws ConfigError when the user's job types are not usable
 */
export async function startExecutor({
  config,
  scope,
  log,
  broker: configured,
}: Parts): Promise<{ port: number; executorId: string }> {
  for (const warning of config.warnings) log.warn(warning);
  const executorId = `${hostname().replaceAll(/[^\w.-]/g, '-')}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const health = createHealth();
  const registry = createMetrics('executor');
  const port = await serve({ config, scope, health, registry });

  const modules = resolveModules(config.jobTypes, process.cwd());
  const types = await loadJobTypes(modules);
  const jobs = createGrpcClient(JobsServiceDefinition, clientOptions(config.jobsGrpcUrl));
  const products = createGrpcClient(ProductsServiceDefinition, clientOptions(config.productsGrpcUrl));
  const running = createRunningAttempts();
  const metrics = createExecutorMetrics(registry, () => running.size);
  const runHandler = createHandlerRunner();
  const attemptParts = {
    types: new Map(types.map((type) => [type.slug, type])),
    source: { client: jobs, executorId },
    turns: createTurns(config.concurrency),
    suspects: createSuspects(running),
    runHandler,
    log,
  };
  const broker = configured ?? (config.broker && (await openBroker(config.broker, log)));
  const intake = openIntake();
  const processes = types.some(({ runs }) => runs === 'process') ? config.processes : 0;
  const minSlots = Math.min(config.concurrency + config.threads + processes, config.maxTasks);
  const work = createWork({
    intake,
    slots: createSlots({ min: minSlots, max: config.maxTasks }),
    running,
    heartbeats: startHeartbeats({
      client: jobs,
      executorId,
      attempts: running,
      onFailure: () => metrics.heartbeatFailures.inc(),
      log,
    }),
    reports: createReports({ client: jobs, stream: createOutcomeStream(jobs), executorId, log }),
    metrics,
    run: (attempt, onStart) => runAttempt(attemptParts, attempt, onStart),
    log,
  });
  health.addCheck({ name: 'intake', check: () => intake.check() });
  const stopWatching = watchCancellations({ client: jobs, executorId, attempts: running, log });
  scope.defer('cancellations', stopWatching);
  work.start();
  scope.defer('work', () => {
    void health.startDraining();
    return work.stop();
  });
  log.info(
    { port, executorId, jobTypes: types.map(({ name }) => name) },
    'the executor offers its job types',
  );
  return { port, executorId };

  function clientOptions(address: string) {
    return {
      address,
      caller: 'executor',
      serviceSecret: config.serviceSecret,
      tls: config.tls,
      scope,
    } as const;
  }

  function openIntake(): Intake {
    const shared = {
      slugs: types.map(({ slug }) => slug),
      register: () => offerJobTypes(jobs, executorId, types),
      log,
    };
    if (!broker) {
      const onReconnect = () => metrics.streamReconnects.inc();
      return createDirectIntake({ ...shared, client: jobs, executorId, onReconnect });
    }
    // Closed after the last outcome is stored and its message acknowledged.
    scope.defer('broker', () => broker.close());
    return createPulsarIntake({
      ...shared,
      broker,
      start: createStartHinted(jobs, executorId),
      onHint: (type, result) => metrics.hints.inc({ type, result }),
    });
  }

  function createHandlerRunner(): (run: InlineRun) => Promise<HandlerReport> {
    const services = { createProducts: createProductWriter(products) };
    const { threads, processes, threadMemoryMb: memoryMb, publicEnvironment: environment } = config;
    const isolation = { memoryMb, idleMs: IDLE_MS, modules, environment };
    const threadPool = createThreadPool({ ...isolation, threads, log });
    scope.defer('threads', () => threadPool.close());
    const processPool = createProcessPool({ ...isolation, processes });
    scope.defer('processes', () => processPool.close());
    const ways = {
      inline: (run: InlineRun) => runInline(run, services),
      thread: threadPool.run,
      process: processPool.run,
    };
    return (run) => ways[run.type.runs](run);
  }
}

function serve({
  config,
  scope,
  health,
  registry,
}: {
  config: ExecutorConfig;
  scope: Scope;
  health: Health;
  registry: Registry;
}): Promise<number> {
  const app = new Hono();
  app.route('/', healthRoutes('executor', health));
  app.route('/', metricsRoute(registry));
  return serveHttp({ app, config, health, scope });
}
