import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort, isPortFree } from '../embedded/free-port.ts';
import {
  type BrokerPorts,
  forgetBroker,
  prepareFolder,
  recordBroker,
  runningBroker,
} from './broker-folder.ts';
import { fetchJars, pulsarCache } from './fetch-jars.ts';
import { findJava } from './find-programs.ts';
import { PulsarError } from './pulsar-error.ts';
import { type RunningJava, runJava } from './run-java.ts';

const READY_WITHIN_MS = 240_000;
const ASK_EVERY_MS = 100;

export interface PulsarOptions {
  /** Everything the broker stores; made if it is missing. One broker at a time. */
  readonly dataDir: string;
  /** Default: free ports. */
  readonly ports?: BrokerPorts | undefined;
  /** Settings of the broker, in place of those in standalone.conf. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Where the broker asks for tokens: one that may do everything. */
  readonly adminToken?: string | undefined;
  /** Compiles what is hot a second time: for measurements and for use. Without it a start takes half the work. */
  readonly fullSpeed?: boolean;
  /** JAVA_HOME, PATH, HOME and XDG_CACHE_HOME are looked at. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** What is going on, for people; called with the same words or others many times. */
  readonly onPhase?: (phase: string) => void;
}

/** A broker on 127.0.0.1. It ends with this process, however that ends. */
export interface PulsarBroker extends BrokerPorts {
  /** `ws://`: for PULSAR_SERVICE_URL, without any more packages. */
  readonly serviceUrl: string;
  /** `pulsar://`: the binary protocol. */
  readonly binaryUrl: string;
  /** The admin REST API, and metrics at /metrics/. */
  readonly adminUrl: string;
  readonly dataDir: string;
  /** Of the process that runs or ran last. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended, asked or not. */
  readonly ended: Promise<void>;
  /** SIGKILL. What was confirmed is kept. */
  kill(): Promise<void>;
  /** In order; takes some seconds. May be called twice. */
  stop(): Promise<void>;
  /** Starts it again after `kill` or `stop`, with the same ports, and waits until it is ready. */
  restart(): Promise<void>;
}

/**
 * Starts a real standalone broker without Docker and waits until it can be used. Its jars are fetched first if need be.
 * @throws PulsarError whose message says what to do
 */
export async function startPulsar(options: PulsarOptions): Promise<PulsarBroker> {
  const { dataDir, environment, signal, onPhase } = options;
  const java = await findJava(environment);
  onPhase?.('looking for its jars');
  const jars = await fetchJars({
    environment,
    signal,
    onJar: (count) => onPhase?.(`fetching its jars from Maven Central, once: ${count} have come`),
  });
  const ports = options.ports ?? { port: await findFreePort(), webPort: await findFreePort() };
  const adminUrl = `http://127.0.0.1:${ports.webPort}`;

  async function run(): Promise<RunningJava> {
    await refuseWhatIsTaken(dataDir, ports);
    onPhase?.('starting');
    const settingsFile = prepareFolder(dataDir, ports, {
      listeningInterface: process.platform === 'linux' ? 'lo' : 'lo0',
      ...options.settings,
    });
    const running = await runJava({
      java,
      jars,
      cache: pulsarCache(environment),
      dataDir,
      settingsFile,
      // For a new folder only: the store beneath the broker keeps the port under which it is known in its metadata.
      bookiePort: await findFreePort(),
      fullSpeed: options.fullSpeed ?? false,
      environment,
    });
    recordBroker(dataDir, running.pid, ports);
    try {
      await untilReady({ running, adminUrl, dataDir, adminToken: options.adminToken, signal });
      return running;
    } catch (error) {
      await running.kill();
      forgetBroker(dataDir);
      throw error;
    }
  }

  let running = await run();
  return {
    ...ports,
    serviceUrl: `ws://127.0.0.1:${ports.webPort}`,
    binaryUrl: `pulsar://127.0.0.1:${ports.port}`,
    adminUrl,
    dataDir,
    get pid() {
      return running.pid;
    },
    get ended() {
      return running.ended;
    },
    kill: () => running.kill(),
    async stop() {
      await running.stop();
      forgetBroker(dataDir);
    },
    async restart() {
      running = await run();
    },
  };
}

async function refuseWhatIsTaken(dataDir: string, ports: BrokerPorts): Promise<void> {
  const other = runningBroker(dataDir);
  if (other) {
    const at = `it answers at ws://127.0.0.1:${other.webPort} and pulsar://127.0.0.1:${other.port}`;
    throw new PulsarError(
      'folder-in-use',
      `A broker runs in ${dataDir} already, as process ${other.pid}; ${at}. \`npm run pulsar -- stop\` stops it.`,
    );
  }
  for (const [option, port] of [
    ['--port', ports.port],
    ['--web-port', ports.webPort],
  ] as const) {
    if (await isPortFree(port)) continue;
    throw new PulsarError(
      'port-taken',
      `Port ${port} is taken by another program: choose another ${option}.`,
    );
  }
}

/** The health check sends a message through a topic; the namespace of topics without another one comes a moment later. */
async function untilReady(options: {
  running: RunningJava;
  adminUrl: string;
  dataDir: string;
  adminToken: string | undefined;
  signal: AbortSignal | undefined;
}): Promise<void> {
  const { running, adminUrl, dataDir, adminToken, signal } = options;
  const headers: Record<string, string> = adminToken ? { authorization: `Bearer ${adminToken}` } : {};
  const deadline = performance.now() + READY_WITHIN_MS;
  const paths = ['/admin/v2/brokers/health', '/admin/v2/namespaces/public/default'];
  for (const path of paths) {
    while (!(await answers(`${adminUrl}${path}`, headers, signal))) {
      signal?.throwIfAborted();
      if (running.hasEnded()) {
        throw new PulsarError(
          'start-failed',
          `The broker ended while it started. Its logs are in ${dataDir}/logs.`,
        );
      }
      if (performance.now() > deadline) {
        const limit = `${READY_WITHIN_MS / 1000} seconds`;
        throw new PulsarError(
          'start-failed',
          `The broker was not ready within ${limit}. Its logs are in ${dataDir}/logs.`,
        );
      }
      await delay(ASK_EVERY_MS);
    }
  }
}

async function answers(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const gone = AbortSignal.any([AbortSignal.timeout(20_000), ...(signal ? [signal] : [])]);
  try {
    const response = await fetch(url, { headers, signal: gone });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
