import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { daemonEnvironment } from '@jobber/compose/daemon-environment';
import type { DaemonName } from '@jobber/compose/daemon-programs';
import { findFreePort } from '@jobber/compose/free-port';
import { type DaemonProcess, startDaemon } from './daemon-process.ts';
import { type FaultDatabases, startDatabases } from './databases.ts';
import { type Edges, openEdges, throughEdges } from './edges.ts';

export interface PlatformOptions {
  /** Default 2. */
  readonly executors?: number;
  /** Default 2. */
  readonly leaseSeconds?: number;
  /** A copy of the repository whose daemons and migrations run instead of this one's. */
  readonly root?: string;
  /** Default: in the platform's own folder. */
  readonly uploadsDir?: string;
  /** Where PostgreSQL keeps its data. Default: in the platform's own folder. */
  readonly databaseFolder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Jobs and the executors run over it. */
  readonly broker?: BrokerSeen | undefined;
  /** Over those of an embedded PostgreSQL. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

/** A broker that outlives the platform; its topics are the platform's own by their prefix. */
export interface BrokerSeen {
  readonly serviceUrl: string;
  /** Where it asks for one. */
  readonly token?: string | undefined;
  /** Of its admin REST API; undefined: nobody may ask. */
  readonly adminUrl?: string | undefined;
  /** Its WebSocket port, when the daemons are to reach it through edges. */
  readonly edgePort?: number;
}

/** Real daemons with a PostgreSQL of their own, whose every connection leads through a proxy. */
export interface FaultPlatform {
  readonly folder: string;
  readonly databases: FaultDatabases;
  readonly edges: Edges;
  readonly daemons: readonly DaemonProcess[];
  /** Origins. `jobs` is behind the edge `client-jobs`, `jobsDirect` is not. */
  readonly urls: {
    readonly auth: string;
    readonly jobs: string;
    readonly jobsDirect: string;
    readonly products: string;
  };
  /** Where Jobs listens for executors, and the secret by which one is believed. */
  readonly jobsGrpcPort: number;
  readonly productsGrpcPort: number;
  readonly serviceSecret: string;
  replicas(daemon: DaemonName): readonly DaemonProcess[];
  /** In front of the names of the platform's topics. */
  readonly topicPrefix: string;
  /** From its next start a daemon runs over the broker, or without; all of its replicas. */
  setOverBroker(daemon: 'jobs' | 'executor', over: boolean): void;
  /** Sets a daemon's clock forward or, with a negative number, back; all of its replicas. */
  shiftClock(daemon: DaemonName, offsetMs: number): void;
  untilReady(): Promise<void>;
  /** Ends everything and removes the folder, unless it is to be looked at. */
  stop(options?: { keepFolder: boolean }): Promise<void>;
}

const JOB_TYPES = fileURLToPath(new URL('job-types.ts', import.meta.url));
const SHIFT_CLOCK = new URL('shift-clock.ts', import.meta.url).href;

export async function startFaultPlatform(options: PlatformOptions = {}): Promise<FaultPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-faults-'));
  const databases = await startDatabases({
    folder: options.databaseFolder ?? folder,
    logFile: join(folder, 'postgres.log'),
    root: options.root,
    settings: options.postgresSettings,
  }).catch((error: unknown) => {
    rmSync(folder, { recursive: true });
    throw error;
  });
  const ports = await choosePorts(databases.port);
  const edges = await openEdges({ ...ports, pulsar: options.broker?.edgePort });
  const topicPrefix = `t${randomBytes(4).toString('hex')}-`;
  const serviceSecret = randomBytes(32).toString('hex');
  const uploadsDir = options.uploadsDir ?? join(folder, 'uploads');
  mkdirSync(uploadsDir, { recursive: true });
  const settings = {
    serviceSecret,
    setupToken: undefined,
    databaseUrls: throughEdges(databases.urls, edges),
    uploadsDir,
    nodeEnv: 'production',
  } as const;

  /** Of the daemons that a broker concerns: changes count from a daemon's next start. */
  const environments: Record<'jobs' | 'executor', NodeJS.ProcessEnv[]> = { jobs: [], executor: [] };

  function brokerVariables(daemon: 'jobs' | 'executor'): Record<string, string> {
    const { broker } = options;
    if (!broker) return {};
    const edge = edges[`${daemon}-pulsar`];
    return {
      PULSAR_SERVICE_URL: edge ? `ws://127.0.0.1:${edge.port}` : broker.serviceUrl,
      PULSAR_TOPIC_PREFIX: topicPrefix,
      ...(broker.token !== undefined && { PULSAR_TOKEN: broker.token }),
    };
  }

  function start(daemon: DaemonName, name: string = daemon, port = ports[daemon]): DaemonProcess {
    // A daemon listens at its own ports, and reaches the others through the edges that begin with it.
    const caller = daemon === 'products' ? 'products-auth' : 'jobs-auth';
    const seen = {
      ...ports,
      [daemon]: port,
      ...(daemon !== 'auth' && { authGrpc: edges[caller].port }),
      ...(daemon === 'executor' && {
        jobsGrpc: edges['executor-jobs'].port,
        productsGrpc: edges['executor-products'].port,
      }),
    };
    const environment: NodeJS.ProcessEnv = {
      ...daemonEnvironment(daemon, { ...settings, ports: seen }, { ...process.env, ...options.environment }),
      LOG_LEVEL: 'info',
      JOBS_LEASE_SECONDS: String(options.leaseSeconds ?? 2),
      JOBS_HINT_SECONDS: '2',
      AUTH_ACCESS_TOKEN_TTL_SECONDS: '86400',
      EXECUTOR_CONCURRENCY: '4',
      // Few, so that a large job is dispatched bit by bit.
      EXECUTOR_MAX_TASKS: '8',
      JOBBER_JOB_TYPES: JOB_TYPES,
      NODE_OPTIONS: `--import=${SHIFT_CLOCK}`,
      FAULTS_CLOCK_FILE: join(folder, `${daemon}.clock`),
    };
    if (daemon === 'jobs' || daemon === 'executor') {
      environments[daemon].push(environment);
      Object.assign(environment, brokerVariables(daemon));
    }
    return startDaemon({ daemon, name, folder, port, root: options.root, environment });
  }

  const daemons = [start('auth'), start('products'), start('jobs')];
  for (let number = 1; number <= (options.executors ?? 2); number += 1) {
    daemons.push(start('executor', `executor-${number}`, await findFreePort()));
  }

  async function stop({ keepFolder } = { keepFolder: false }): Promise<void> {
    for (const edge of Object.values(edges)) edge.heal();
    for (const daemon of [...daemons].reverse()) await daemon.stop();
    await databases.stop();
    await Promise.all(Object.values(edges).map((edge) => edge.close()));
    if (!keepFolder) rmSync(folder, { recursive: true, force: true });
  }

  const platform: FaultPlatform = {
    folder,
    databases,
    edges,
    daemons,
    urls: {
      auth: `http://127.0.0.1:${ports.auth}`,
      jobs: `http://127.0.0.1:${edges['client-jobs'].port}`,
      jobsDirect: `http://127.0.0.1:${ports.jobs}`,
      products: `http://127.0.0.1:${ports.products}`,
    },
    jobsGrpcPort: ports.jobsGrpc,
    productsGrpcPort: ports.productsGrpc,
    serviceSecret,
    topicPrefix,
    setOverBroker(daemon, over) {
      for (const environment of environments[daemon]) {
        if (over) Object.assign(environment, brokerVariables(daemon));
        else delete environment['PULSAR_SERVICE_URL'];
      }
    },
    replicas: (daemon) => daemons.filter((one) => one.daemon === daemon),
    shiftClock: (daemon, offsetMs) => writeFileSync(join(folder, `${daemon}.clock`), String(offsetMs)),
    untilReady: async () => void (await Promise.all(daemons.map((daemon) => daemon.untilReady()))),
    stop,
  };
  try {
    await platform.untilReady();
    return platform;
  } catch (error) {
    await stop({ keepFolder: true });
    throw new Error(`The platform did not start; its logs are in ${folder}.`, { cause: error });
  }
}

async function choosePorts(postgres: number) {
  const [auth, jobs, executor, products, authGrpc, productsGrpc, jobsGrpc] = await Promise.all(
    Array.from({ length: 7 }, () => findFreePort()),
  );
  return { auth, jobs, executor, products, authGrpc, productsGrpc, jobsGrpc, postgres } as Readonly<
    Record<
      'auth' | 'jobs' | 'executor' | 'products' | 'authGrpc' | 'productsGrpc' | 'jobsGrpc' | 'postgres',
      number
    >
  >;
}
