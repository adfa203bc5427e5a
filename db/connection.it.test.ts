import { createTestDatabase } from '@jobber/compose/test-database';
import { expect, test } from 'vitest';
import { openDatabase } from './connection.ts';
import { jobsDatabase } from './jobs/index.ts';

test('who stands still in the middle of a transaction does not hold its locks for longer than a statement may take', async () => {
  const { url } = await createTestDatabase();
  const database = await openDatabase(jobsDatabase, { url, statementTimeoutMs: 3_000 });
  const still = await database.pool.connect();
  const lost = new Promise((resolve) => still.once('error', resolve));
  await still.query('begin; select pg_advisory_xact_lock(1)');
  const takeLock = () =>
    database.pool.query('select pg_advisory_lock(1)').then(
      () => true,
      () => false,
    );
  await expect.poll(takeLock).toBe(true);
  await lost;
  await expect(still.query('commit')).rejects.toThrow();
  still.release(true);
  await database.close();
});
