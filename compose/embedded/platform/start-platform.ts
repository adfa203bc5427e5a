import { findServerProcesses } from '../postgres/stop-leftovers.ts';
import type { DaemonSettings } from './daemon-environment.ts';
import { type DaemonName, type Programs, sourcePrograms } from './daemon-programs.ts';
import { lockDataFolder } from './lock-data-folder.ts';
import type { LogStream } from './log-stream.ts';
import { openDataFolder } from './open-data-folder.ts';
import { openDatabases } from './open-databases.ts';
import { PlatformError } from './platform-error.ts';
import { type PlatformPorts, requireFreePorts } from './platform-ports.ts';
import { makePrivateFolder } from './private-file.ts';
import { type Release, releaseInOrder } from './release-in-order.ts';
import { readOrCreateSecrets } from './secrets.ts';
import { startDaemons } from './start-daemons.ts';
import { stopLeftoverDaemons } from './stop-leftover-daemons.ts';
import { superviseBroker } from './supervise-broker.ts';

export interface PlatformOptions {
  /** Absolute. Everything that is kept lies here; one platform at a time. */
  readonly dataDir: string;
  readonly ports: PlatformPorts;
  readonly openLog: (folder: string) => LogStream;
  /** What the daemons inherit. */
  readonly environment: NodeJS.ProcessEnv;
  readonly nodeEnv: 'production' | 'development';
  /** Where Node keeps compiled code between starts. */
  readonly compileCache?: string;
  /** The data is not kept: PostgreSQL need not wait for the disk, and ends with this process. */
  readonly throwaway?: boolean;
  /** Databases that somebody else runs, instead of an embedded PostgreSQL. */
  readonly databaseUrls?: DaemonSettings['databaseUrls'] | undefined;
  /** Tasks reach executors over a broker: the one of this URL, or one of the platform's own. */
  readonly pulsar?: { readonly serviceUrl?: string | undefined } | undefined;
  /** A daemon that cannot run does not end the platform: it may be edited and started again. */
  readonly forgiving?: boolean;
  /** Where the programs lie; see daemon-programs.ts. */
  readonly root?: string;
  /** Default: the sources. */
  readonly programs?: Programs;
  /** Ends the start: what has been started by then is stopped. */
  readonly signal: AbortSignal;
  /** Told what is about to be done. */
  readonly onPhase?: (phase: string) => void;
}

export interface Platform {
  readonly ports: PlatformPorts;
  readonly log: LogStream;
  /** Of no use once there is an administrator: undefined then. */
  readonly setupToken: string | undefined;
  /** Resolves with the reason when the platform cannot go on. */
  readonly failed: Promise<PlatformError>;
  restart(name: DaemonName): void;
  /** Applies migrations that have come since the start. */
  bringUpToDate(): Promise<void>;
  /** Stops the daemons one after the other, those first that depend on others, then PostgreSQL. May be called twice. */
  stop(): Promise<void>;
  /** Ends everything now; what was committed is kept. */
  kill(): Promise<void>;
}

/**
 * Starts PostgreSQL and the four daemons of one data folder and resolves when all are ready.
 * @throws PlatformError, PostgresError; nothing runs any more then
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { dataDir, signal, programs = sourcePrograms(options.root), onPhase = () => {} } = options;
  await requireServiceUrl(options.pulsar?.serviceUrl);
  const folder = openDataFolder(dataDir);
  const lock = lockDataFolder(dataDir);
  const releases: Release[] = [{ stop: lock.release, kill: lock.release }];
  try {
    const log = options.openLog(folder.logs);
    releases.push({ stop: log.close, kill: log.close });
    const onWait = (names: string[]) =>
      log.say('up', 'warn', `waiting for daemons of an earlier jobber up to finish: ${names.join(', ')}`);
    await stopLeftoverDaemons(folder.run, { onWait, signal });
    const ports = await requireFreePorts(options.ports, findServerProcesses(folder.postgres).length > 0);
    const secrets = readOrCreateSecrets(folder.secretsFile);
    signal.throwIfAborted();

    onPhase('PostgreSQL');
    const environment = withCompileCache(options);
    const databases = await openDatabases({
      ...options,
      programs,
      folder: folder.postgres,
      environment,
      ports,
      secrets,
      log,
    });
    releases.push({ stop: () => databases.stop(), kill: () => databases.stop({ atOnce: true }) });
    signal.throwIfAborted();
    onPhase('migrations');
    await databases.bringUpToDate();
    const administered = await databases.hasAdministrator();
    signal.throwIfAborted();

    const broker = options.pulsar && (await openBroker(log));
    onPhase('daemons');
    const setupToken = administered ? undefined : secrets.setupToken;
    const daemons = startDaemons({
      settings: {
        ports,
        serviceSecret: secrets.service,
        setupToken,
        databaseUrls: databases.urls,
        uploadsDir: folder.uploads,
        brokerUrl: broker?.serviceUrl,
        nodeEnv: options.nodeEnv,
      },
      environment,
      log,
      runFolder: folder.run,
      programs,
      forgiving: options.forgiving ?? false,
    });
    releases.push(...daemons.releases);
    await daemons.untilReady(signal);
    onPhase('ready');
    return {
      ports,
      log,
      setupToken,
      failed: Promise.race([daemons.failed, ...(broker?.failures ?? [])]),
      restart: daemons.restart,
      bringUpToDate: databases.bringUpToDate,
      ...releaseInOrder(releases),
    };
  } catch (error) {
    await releaseInOrder(releases).stop();
    throw error;
  }

  async function openBroker(log: LogStream): Promise<UsedBroker> {
    const serviceUrl = options.pulsar?.serviceUrl;
    if (serviceUrl !== undefined) return { serviceUrl, failures: [] };
    const { environment } = options;
    const broker = await superviseBroker({ dataDir, environment, log, signal, onPhase });
    releases.push(broker.release);
    return { serviceUrl: broker.serviceUrl, failures: [broker.failed] };
  }
}

interface UsedBroker {
  readonly serviceUrl: string;
  readonly failures: readonly Promise<PlatformError>[];
}

/** Before anything is started or made. @throws PlatformError `broker-url-invalid` */
async function requireServiceUrl(serviceUrl: string | undefined): Promise<void> {
  if (serviceUrl === undefined) return;
  const { readBrokerConfig } = await import('@jobber/shared/broker');
  try {
    readBrokerConfig({ PULSAR_SERVICE_URL: serviceUrl });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new PlatformError(
      'broker-url-invalid',
      error.message.replace('PULSAR_SERVICE_URL', "The broker's URL"),
      { cause: error },
    );
  }
}

/** Node keeps what it compiled there, for all daemons and later starts. */
function withCompileCache({ environment, compileCache }: PlatformOptions): NodeJS.ProcessEnv {
  if (compileCache === undefined) return environment;
  try {
    // Node hangs where it can't make the folder itself, as below /proc; without one it only starts more slowly.
    makePrivateFolder(compileCache);
  } catch {
    return environment;
  }
  return { ...environment, NODE_COMPILE_CACHE: compileCache };
}
