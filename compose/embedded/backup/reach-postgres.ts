import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataFolder } from '../platform/lock-data-folder.ts';
import { PlatformError } from '../platform/platform-error.ts';
import { ADMIN } from '../postgres/create-cluster.ts';
import { startPostgres } from '../postgres/index.ts';

/** The PostgreSQL of a data folder, wherever it runs. */
export interface ReachedPostgres {
  readonly adminUrl: string;
  /** Stops it if it was started for this. */
  release(): Promise<void>;
}

/**
 * Uses the server of the platform that runs in `dataDir`, or starts it for a while.
 * @throws PlatformError, PostgresError
 */
export async function reachPostgres(dataDir: string): Promise<ReachedPostgres> {
  const folder = join(dataDir, 'postgres');
  requireCluster(folder, dataDir);
  let lock: { release(): void };
  try {
    lock = lockDataFolder(dataDir);
  } catch (error) {
    if (!(error instanceof PlatformError && error.reason === 'folder-in-use')) throw error;
    return { adminUrl: runningServer(folder), release: async () => {} };
  }
  try {
    const server = await startPostgres({ dataDir: folder, logFile: join(dataDir, 'logs', 'postgres.log') });
    return {
      adminUrl: server.adminUrl,
      async release() {
        try {
          await server.stop();
        } finally {
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function requireCluster(folder: string, dataDir: string): void {
  try {
    readFileSync(join(folder, 'PG_VERSION'));
  } catch (error) {
    throw new PlatformError(
      'folder-unusable',
      `${dataDir} holds no platform: name its folder with --data-dir.`,
      {
        cause: error,
      },
    );
  }
}

function runningServer(folder: string): string {
  try {
    const password = readFileSync(`${folder}.password`, 'utf8').trim();
    // PostgreSQL writes its port into the fourth line.
    const port = Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[3]);
    if (port > 0) return `postgres://${ADMIN}:${password}@127.0.0.1:${port}/postgres`;
  } catch {
    // Told below: it may be about to start or to stop.
  }
  throw new PlatformError(
    'postgres',
    `The PostgreSQL in ${folder} cannot be reached: wait until jobber is ready, or stop it.`,
  );
}
