import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationObject } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM, type Options, type PostgreSqlConnection } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';

export { isDatabaseUnavailable } from './database-failure.ts';

/** What a daemon's database consists of. */
export interface DatabaseDefinition {
  /** auth, jobs or products */
  readonly name: string;
  readonly entities: NonNullable<Options['entities']>;
  readonly migrations: readonly MigrationObject[];
}

export interface DatabaseOptions {
  /**
   * postgresql://user:password@host:port/database, and parameters such as
   * `?sslmode=verify-full&sslrootcert=/path/ca.pem`
   */
  readonly url: string;
  /** Connections at most. */
  readonly poolSize?: number;
  readonly applicationName?: string;
  /**
   * After this many milliseconds a statement is given up, by the server and, if that is silent, by us. 0: never. Half a
   * second more is how long a connection may take; without a limit of statements, half a minute.
   */
  readonly statementTimeoutMs?: number;
}

/**
 * An open database: the ORM for entities, the pool beneath it for plain, prepared SQL on hot paths. The ORM has told the
 * pool to leave times, bigints and numerics as text; it converts its entities' itself.
 */
export interface Database {
  readonly orm: MikroORM;
  readonly pool: Pool;
  close(): Promise<void>;
}

/** Of whoever has promised nobody an answer in time. */
const PATIENCE_MS = 30_000;

/** Prepares a database for use; connections are made when they are needed, so the server need not be up yet. */
export async function openDatabase(
  definition: DatabaseDefinition,
  {
    url,
    poolSize = 10,
    applicationName = `jobber-${definition.name}`,
    statementTimeoutMs = PATIENCE_MS,
  }: DatabaseOptions,
): Promise<Database> {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [...definition.entities],
    extensions: [Migrator],
    migrations: { migrationsList: [...definition.migrations], snapshot: false, tableName: 'migrations' },
    pool: { min: 0, max: poolSize },
    driverOptions: {
      // The ORM takes apart the address and drops its parameters: sslmode=verify-full would be connected to in the clear.
      connectionString: url,
      connectionTimeoutMillis: (statementTimeoutMs || PATIENCE_MS) + 500,
      application_name: applicationName,
      keepAlive: true,
      // A statement that hangs must not hold a request for ever.
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs && statementTimeoutMs + 500,
      // Nor must a process that stands still in the middle of a transaction hold its locks.
      idle_in_transaction_session_timeout: statementTimeoutMs,
    },
    discovery: { warnWhenNoEntities: false },
    // The ORM's own log would go around the daemon's structured one.
    logger: () => {},
  });
  const connection = orm.em.getConnection() as PostgreSqlConnection;
  // Otherwise it would ask the server something, which need not be up yet.
  await connection.connect({ skipOnConnect: true });
  return {
    orm,
    pool: await connection.getNativeClient(),
    close: () => orm.close(true),
  };
}

/** The names of migrations that the database does not have yet. Rejects when the server can't be reached. */
export async function pendingMigrations({ orm }: Database): Promise<string[]> {
  const pending = await orm.migrator.getPending();
  return pending.map(({ name }) => name);
}

/** The names of migrations that the database has and this version does not know: a newer one has been here. */
export async function newerMigrations(
  { migrations }: DatabaseDefinition,
  { orm }: Database,
): Promise<string[]> {
  const known = new Set(migrations.map(({ name }) => name));
  const executed = await orm.migrator.getExecuted();
  return executed.map(({ name }) => name).filter((name) => !known.has(name));
}

/** Waits until the server answers, for as long as it takes. */
export async function waitForDatabase(
  { pool }: Database,
  options: { signal: AbortSignal; onFailure: (error: unknown) => void },
): Promise<void> {
  for (let delay = 100; ; delay = Math.min(delay * 2, 2_000)) {
    try {
      await pool.query('select 1');
      return;
    } catch (error) {
      options.onFailure(error);
      await sleep(delay, undefined, { signal: options.signal });
    }
  }
}
