import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sourcePrograms } from '@jobber/compose/daemon-programs';
import { findFreePort } from '@jobber/compose/free-port';
import { migrateDatabases } from '@jobber/compose/migrate-databases';
import { databaseUrl, ensureDatabases, type PostgresServer, startPostgres } from '@jobber/compose/postgres';
import { Client, Pool, type QueryResultRow } from 'pg';

export const DATABASES = ['auth', 'jobs', 'products'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** The platform's PostgreSQL, which can be crashed, and what looks into it from outside. */
export interface FaultDatabases {
  readonly port: number;
  /** What PostgreSQL itself says; beside its data, not among it. */
  readonly logFile: string;
  /** By which each daemon reaches its own, at `port`. */
  readonly urls: Readonly<Record<DatabaseName, string>>;
  /** The same with a role that may only read. */
  readonly readOnlyUrls: Readonly<Record<DatabaseName, string>>;
  /** As superuser; plants defects and looks. */
  query<Row extends QueryResultRow>(database: DatabaseName, text: string, values?: unknown[]): Promise<Row[]>;
  /** Applies the migrations of a copy of the repository, or of this one. */
  migrate(root?: string): Promise<void>;
  /** Ends the server as a crash would (`pg_ctl stop -m immediate`). */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends all sessions of the daemons. @returns how many */
  terminateBackends(): Promise<number>;
  stop(): Promise<void>;
}

export interface DatabasesOptions {
  readonly folder: string;
  readonly logFile: string;
  /** Of the tree whose migrations are applied. */
  readonly root?: string | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export async function startDatabases({
  folder,
  logFile,
  root,
  settings = {},
}: DatabasesOptions): Promise<FaultDatabases> {
  const port = await findFreePort();
  // Durable: what was committed before a crash must be there after it.
  const start = () =>
    startPostgres({
      dataDir: join(folder, 'postgres'),
      port,
      logFile,
      mode: 'durable',
      stopWithParent: true,
      settings,
    });
  let server: PostgresServer | undefined = await start();
  const { adminUrl } = server;
  const wanted = Object.fromEntries(
    DATABASES.map((name) => [name, { database: name, role: name, password: newPassword() }]),
  ) as Record<DatabaseName, { database: string; role: string; password: string }>;
  await ensureDatabases(adminUrl, Object.values(wanted));
  const urls = mapDatabases((name) => databaseUrl(adminUrl, wanted[name]));
  const migrateWith = (tree: string | undefined) =>
    migrateDatabases(urls, {
      environment: process.env,
      signal: AbortSignal.timeout(120_000),
      programs: sourcePrograms(tree),
    });
  await migrateWith(root);
  const readOnlyUrls = await createReader(adminUrl);
  const pools = mapDatabases((name) => {
    const pool = new Pool({ connectionString: withDatabase(adminUrl, name), max: 3 });
    // A crash ends idle connections; the next query opens another.
    pool.on('error', () => {});
    return pool;
  });

  async function query<Row extends QueryResultRow>(
    database: DatabaseName,
    text: string,
    values: unknown[] = [],
  ) {
    return (await pools[database].query<Row>(text, values)).rows;
  }

  return {
    port,
    logFile,
    urls,
    readOnlyUrls,
    query,
    migrate: migrateWith,
    async crash() {
      await server?.stop({ mode: 'immediate' });
      server = undefined;
    },
    async start() {
      server ??= await start();
    },
    async terminateBackends() {
      const rows = await query(
        'jobs',
        'select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)',
        [[...DATABASES]],
      );
      return rows.length;
    },
    async stop() {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
      await server?.stop({ mode: 'immediate' });
    },
  };
}

/** A role that sees everything and may change nothing. */
async function createReader(adminUrl: string): Promise<Record<DatabaseName, string>> {
  const password = newPassword();
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`create role reader login password '${password}' in role pg_read_all_data`);
    await client.query('alter role reader set default_transaction_read_only = on');
    for (const name of DATABASES) await client.query(`grant connect on database ${name} to reader`);
  } finally {
    await client.end();
  }
  return mapDatabases((database) => databaseUrl(adminUrl, { database, role: 'reader', password }));
}

function mapDatabases<T>(make: (name: DatabaseName) => T): Record<DatabaseName, T> {
  return Object.fromEntries(DATABASES.map((name) => [name, make(name)])) as Record<DatabaseName, T>;
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

function newPassword(): string {
  return randomBytes(16).toString('hex');
}
