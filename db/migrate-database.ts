import { type DatabaseDefinition, openDatabase } from './connection.ts';

/** Any number, the same for all: whoever holds its advisory lock migrates. */
const MIGRATION_LOCK = 7_205_759_403;

/**
 * Brings a database up to date. Safe to run twice at once: the second waits, and then finds nothing to do.
 * Each migration is applied wholly or not at all.
 * @returns the names of the migrations that this call has applied
 */
export async function migrate(definition: DatabaseDefinition, url: string): Promise<string[]> {
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
      return applied.map(({ name }) => name);
    } finally {
      // Destroys the connection, and the lock with it.
      lock.release(true);
    }
  } finally {
    await database.close();
  }
}
