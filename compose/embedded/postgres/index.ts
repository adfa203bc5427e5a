import { chownSync, lstatSync } from 'node:fs';
import { mkdir, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { findFreePort, isPortFree } from '../free-port.ts';
import { claimFolder } from './claim-folder.ts';
import {
  ADMIN,
  createCluster,
  readClusterVersion,
  readOrCreatePassword,
  removeHalfMadeClusters,
} from './create-cluster.ts';
import { findBinaries, type PostgresBinaries } from './find-binaries.ts';
import { placeRuntime } from './place-runtime.ts';
import { explainFileError, PostgresError } from './postgres-error.ts';
import { type RunningServer, runServer, type ServerExit, type StopMode } from './run-server.ts';
import { openServerLog } from './server-log.ts';
import { type DurabilityMode, serverSettings } from './server-settings.ts';
import { chooseServerUser, type ServerUser } from './server-user.ts';
import { clusterName, stopLeftovers } from './stop-leftovers.ts';
import { stopWithParent } from './stop-with-parent.ts';

export { type DatabaseWanted, databaseUrl, ensureDatabases } from './ensure-databases.ts';
export { explainFileError, PostgresError, type PostgresErrorReason } from './postgres-error.ts';
export type { ServerExit, StopMode } from './run-server.ts';
export type { DurabilityMode } from './server-settings.ts';

const MAJOR_VERSION = '18';
const MOST_PORTS_TRIED = 5;

export interface StartPostgresOptions {
  /** Made if it is missing. Beside it lie `<dataDir>.password`, `.owner`, `.log` and, while it is made, `.new-*`. */
  readonly dataDir: string;
  /** On 127.0.0.1; 0 (the default) takes any free one. */
  readonly port?: number;
  /** Gets the server's log line by line, beside the file. */
  readonly log?: (line: string) => void;
  /** Default `<dataDir>.log`. At most 20 MB are kept. */
  readonly logFile?: string;
  /** Default `durable`. */
  readonly mode?: DurabilityMode;
  /**
   * Whether the server ends when this process is killed. Default: only a throwaway one; a durable one goes on, so that
   * daemons that outlived this process can finish what they do, and is stopped by the next start.
   */
  readonly stopWithParent?: boolean;
  /** Further settings of PostgreSQL, such as `shared_buffers`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where a copy of the programs may be kept if the installed ones cannot be run; see place-runtime.ts. */
  readonly cacheFolders?: readonly string[];
  /** Other programs than the installed ones. */
  readonly binaries?: PostgresBinaries;
  /** When run as root: names of users to run the server as, in order of preference. */
  readonly runAs?: readonly string[];
}

export interface PostgresServer {
  readonly port: number;
  readonly pid: number;
  /** Of the superuser, with its password: never to be logged. */
  readonly adminUrl: string;
  readonly logFile: string;
  /** Resolves when the server has ended; may be called more than once, and after it ended by itself. */
  stop(options?: { mode?: StopMode }): Promise<void>;
  /** Called once when the server ends, also when `stop` asked for it (`requested`), also when it already has. */
  onExit(callback: (exit: ServerExit) => void): void;
}

/**
 * Starts the PostgreSQL of one data folder, after making the folder or stopping and repairing what an earlier start
 * left there, and resolves when it takes connections.
 *
 * As root the server runs as another user (server-user.ts), which owns the data folder; that and the programs may lie
 * below folders closed to that user (place-runtime.ts, `dataFolderArgument`).
 * @throws PostgresError with one sentence for people
 */
export async function startPostgres(options: StartPostgresOptions): Promise<PostgresServer> {
  const binaries = options.binaries ?? findBinaries();
  const dataDir = await makeParent(resolve(options.dataDir));
  const claim = claimFolder(dataDir);
  try {
    await stopLeftovers(dataDir);
    await removeHalfMadeClusters(dataDir);
    const user = chooseServerUser(dataDir, options.runAs ? { preferred: options.runAs } : {});
    const native = await placeRuntime(binaries, user, options.cacheFolders);
    const password = await prepareCluster({ ...options, dataDir }, native, user);
    return await startOnPort({ ...options, dataDir }, { native, user, password, release: claim.release });
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function makeParent(dataDir: string): Promise<string> {
  try {
    await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 });
    return join(await realpath(dirname(dataDir)), basename(dataDir));
  } catch (error) {
    throw explainFileError(error, dirname(dataDir));
  }
}

/** Makes the cluster or checks the one that is there. @returns the superuser's password */
async function prepareCluster(
  options: StartPostgresOptions,
  native: string,
  user: ServerUser | undefined,
): Promise<string> {
  const { dataDir, logFile = `${dataDir}.log`, mode = 'durable' } = options;
  const version = await readClusterVersion(dataDir);
  if (version !== undefined && version !== MAJOR_VERSION) {
    throw new PostgresError(
      'folder-not-ours',
      `The data in ${dataDir} was written by PostgreSQL ${version}, this is ${MAJOR_VERSION}: ` +
        'dump it with the old version and restore it with this one.',
    );
  }
  const password = await readOrCreatePassword(dataDir, version === undefined);
  if (version === undefined) {
    await createCluster({ native, dataDir, password, user, sync: mode === 'durable', logFile });
  } else {
    await giveToUser(dataDir, user);
  }
  return password;
}

/** A data folder that root copied from elsewhere belongs to root, and the server could not use it. */
async function giveToUser(dataDir: string, user: ServerUser | undefined): Promise<void> {
  const owner = lstatSync(dataDir).uid;
  if (user && owner !== user.uid) {
    chownSync(dataDir, user.uid, user.gid);
    for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      chownSync(join(entry.parentPath, entry.name), user.uid, user.gid);
    }
  } else if (!user && owner !== process.geteuid?.()) {
    throw new PostgresError(
      'folder-not-ours',
      `The data in ${dataDir} belongs to user id ${owner}: run as that user or name another folder.`,
    );
  }
}

interface Prepared {
  readonly native: string;
  readonly user: ServerUser | undefined;
  readonly password: string;
  release(): void;
}

/** A port found free can be taken before the server opens it: then another one is tried. */
async function startOnPort(options: StartPostgresOptions, prepared: Prepared): Promise<PostgresServer> {
  if (options.port) return await startOnce(options, prepared, options.port);
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options, prepared, await findFreePort());
    } catch (error) {
      const taken = error instanceof PostgresError && error.reason === 'port-taken';
      if (!taken || tries === MOST_PORTS_TRIED) throw error;
    }
  }
}

async function startOnce(
  options: StartPostgresOptions,
  prepared: Prepared,
  port: number,
): Promise<PostgresServer> {
  const { dataDir, logFile = `${dataDir}.log`, mode = 'durable' } = options;
  const { native, user, password, release } = prepared;
  if (!(await isPortFree(port))) {
    throw new PostgresError('port-taken', `Port ${port} is taken by another program: choose another one.`);
  }
  const log = openServerLog(logFile, options.log);
  let server: RunningServer;
  try {
    const settings = { ...serverSettings(mode, port, clusterName(dataDir)), ...options.settings };
    server = await runServer({ native, dataDir, user, settings, log, logFile });
  } catch (error) {
    log.close();
    throw error;
  }
  const together = options.stopWithParent ?? mode === 'throwaway';
  const endWatch = together ? stopWithParent(server.pid) : () => {};
  const ended = server.ended.then((exit) => {
    endWatch();
    log.close();
    release();
    return exit;
  });
  const adminUrl = `postgres://${ADMIN}:${password}@127.0.0.1:${port}/postgres`;
  try {
    await checkLogin(adminUrl, dataDir);
  } catch (error) {
    await server.stop('immediate');
    throw error;
  }
  return {
    port,
    pid: server.pid,
    adminUrl,
    logFile,
    async stop({ mode: how = 'fast' } = {}) {
      await server.stop(how);
      await ended;
    },
    onExit(callback) {
      void ended.then(callback);
    },
  };
}

/** Shows that who answers at the port is the server with our password. */
async function checkLogin(adminUrl: string, dataDir: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new PostgresError(
      'start-failed',
      `PostgreSQL in ${dataDir} does not accept the password in ${dataDir}.password: ${(error as Error).message}.`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}
