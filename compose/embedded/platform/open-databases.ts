import { join } from 'node:path';
import { type DatabaseWanted, databaseUrl, ensureDatabases } from '../postgres/index.ts';
import type { DaemonSettings } from './daemon-environment.ts';
import type { Programs } from './daemon-programs.ts';
import { describePostgresLine } from './describe-postgres-line.ts';
import { hasAdministrator } from './find-administrator.ts';
import type { LogStream } from './log-stream.ts';
import { migrateDatabases } from './migrate-databases.ts';
import type { PlatformPorts } from './platform-ports.ts';
import { isStamped, writeStamp } from './schema-stamp.ts';
import type { PlatformSecrets } from './secrets.ts';
import { type PostgresEvent, supervisePostgres } from './supervise-postgres.ts';

export interface OpenDatabases {
  readonly urls: DaemonSettings['databaseUrls'];
  /** Applies the migrations that are missing. */
  bringUpToDate(): Promise<void>;
  hasAdministrator(): Promise<boolean>;
  stop(options?: { atOnce: boolean }): Promise<void>;
}

interface Options {
  /** Of the embedded PostgreSQL. */
  readonly folder: string;
  readonly ports: PlatformPorts;
  readonly secrets: PlatformSecrets;
  readonly log: LogStream;
  readonly throwaway?: boolean;
  readonly databaseUrls?: DaemonSettings['databaseUrls'] | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly root?: string;
  readonly programs: Programs;
  readonly signal: AbortSignal;
}

/** Starts the data folder's PostgreSQL with a database and a role for each daemon, or uses those that are configured. */
export async function openDatabases(options: Options): Promise<OpenDatabases> {
  const { folder, ports, secrets, log, throwaway = false } = options;
  const configured = options.databaseUrls;
  if (configured) {
    return {
      urls: configured,
      bringUpToDate: () => migrateDatabases(configured, options),
      hasAdministrator: () => hasAdministrator(configured.auth),
      stop: async () => {},
    };
  }
  const server = await supervisePostgres({
    dataDir: folder,
    port: ports.postgres,
    logFile: join(log.folder, 'postgres.log'),
    mode: throwaway ? 'throwaway' : 'durable',
    stopWithParent: throwaway,
    log(line) {
      const problem = describePostgresLine(line);
      if (problem) log.say('postgres', problem.level, problem.message);
    },
    onEvent: (event) => sayWhatHappened(log, event),
  });
  try {
    const wanted = {
      auth: database('auth', secrets.authDatabase),
      jobs: database('jobs', secrets.jobsDatabase),
      products: database('products', secrets.productsDatabase),
    };
    await ensureDatabases(server.adminUrl, Object.values(wanted));
    const urls = {
      auth: databaseUrl(server.adminUrl, wanted.auth),
      jobs: databaseUrl(server.adminUrl, wanted.jobs),
      products: databaseUrl(server.adminUrl, wanted.products),
    };
    return {
      urls,
      async bringUpToDate() {
        if (await isStamped(server.adminUrl, options.root)) return;
        await migrateDatabases(urls, options);
        await writeStamp(server.adminUrl, options.root);
      },
      hasAdministrator: () => hasAdministrator(urls.auth),
      stop: server.stop,
    };
  } catch (error) {
    await server.stop({ atOnce: true });
    throw error;
  }
}

function database(name: string, password: string): DatabaseWanted {
  return { database: name, role: name, password };
}

function sayWhatHappened(log: LogStream, event: PostgresEvent): void {
  switch (event.kind) {
    case 'ended':
      log.say('up', 'warn', `PostgreSQL ${event.how}; it is started again`, { inMs: event.restartInMs });
      break;
    case 'not restarted':
      log.say('up', 'error', `PostgreSQL could not be started: ${event.why}`, {
        againInMs: event.restartInMs,
      });
      break;
    case 'restarted':
      log.say('up', 'info', 'PostgreSQL runs again', { process: event.pid });
      break;
  }
}
