import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import {
  type DatabaseDefinition,
  isDatabaseUnavailable,
  newerMigrations,
  openDatabase,
  pendingMigrations,
} from './connection.ts';

/** Any number, the same for all: whoever holds its advisory lock migrates. */
const MIGRATION_LOCK = 7_205_759_403;

/** The names of migrations. */
interface Migrated {
  /** By this call. */
  readonly applied: readonly string[];
  /** By a newer version, which this one does not know. */
  readonly newer: readonly string[];
}

/**
 * Brings a database up to date. Safe to run twice at once: the second waits, and then finds nothing to do.
 * Each migration is applied wholly or not at all.
 * @returns the names of the migrations that this call has applied
 */
export async function migrate(definition: DatabaseDefinition, url: string): Promise<readonly string[]> {
  return (await migrateAndLook(definition, url)).applied;
}

/** The same, and looks whether a newer version has been here. */
export async function migrateAndLook(definition: DatabaseDefinition, url: string): Promise<Migrated> {
  const database = await openDatabase(definition, {
    url,
    poolSize: 2,
    applicationName: `jobber-migrate-${definition.name}`,
    // A migration of a large table takes its time, and so does waiting for another one to end.
    statementTimeoutMs: 0,
  });
  try {
    const lock = await database.pool.connect();
    try {
      await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const applied = await database.orm.migrator.up();
      if (applied.length > 0) await vacuumRewrittenTables(lock);
      return { applied: applied.map(({ name }) => name), newer: await newerMigrations(definition, database) };
    } finally {
      // Destroys the connection, and the lock with it.
      lock.release(true);
    }
  } finally {
    await database.close();
  }
}

/**
 * Large tables of which no page is known to be visible to all. A migration that writes a table anew leaves it so, and
 * autovacuum sees no reason to come; until then no index can answer alone, and lists take many times as long.
 */
const REWRITTEN_TABLES = `
  select oid::regclass::text as name from pg_class
  where relkind = 'r' and relnamespace = current_schema()::regnamespace and relallvisible = 0
    and pg_relation_size(oid) > 1e6`;

/** Whoever reads and writes goes on meanwhile. */
async function vacuumRewrittenTables(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(REWRITTEN_TABLES);
  for (const { name } of rows) await client.query(`vacuum (analyze) ${name}`);
}

/** Between two looks at a database that is not as it should be yet, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Runs `work` again and again while the database can't be reached, for at most `waitMs` milliseconds.
 * @throws what `work` has thrown at last
 */
export async function whileUnreachable<T>(waitMs: number, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || performance.now() >= giveUpAt) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/**
 * Waits until somebody else has brought a database up to date; changes nothing.
 * @returns the migrations that are still missing after `waitMs` milliseconds; empty as soon as there are none
 * @throws what the database says when it can't be reached or refuses
 */
export async function awaitMigrations(
  definition: DatabaseDefinition,
  url: string,
  waitMs: number,
): Promise<string[]> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const pending = await whileUnreachable(giveUpAt - performance.now(), () => look(definition, url));
    if (pending.length === 0 || performance.now() >= giveUpAt) return pending;
    await sleep(LOOK_EVERY_MS);
  }
}

async function look(definition: DatabaseDefinition, url: string): Promise<string[]> {
  const applicationName = `jobber-await-${definition.name}`;
  const database = await openDatabase(definition, { url, poolSize: 1, applicationName });
  try {
    return await pendingMigrations(database);
  } finally {
    await database.close();
  }
}
