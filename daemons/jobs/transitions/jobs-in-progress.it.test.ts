import { randomUUID } from 'node:crypto';
import type { DecidedItem } from '@jobber/db/jobs';
import type { Pool } from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { acceptJob, newJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { readJobsInProgress } from '../testing/read-jobs-in-progress.ts';
import { acceptJobs } from './accept-jobs.ts';
import { beginJobs } from './begin-jobs.ts';
import { cancelJob } from './cancel-job.ts';
import { finishAttempts } from './finish-attempts.ts';
import { redriveTasks } from './redrive-tasks.ts';

const database = await openTestDatabase();
const { pool } = database;
/** A connection of its own: its plans and its counts are those of this test. */
const client = await pool.connect();
afterAll(() => client.release());
const BROKEN = { reason: 'Broken', message: 'it is broken' };

beforeEach(async () => {
  await pool.query('truncate job, job_tag, task, history restart identity');
});

/** Ends as many jobs as there are, at most `limit`: completed, or failed. */
async function end(limit: number, succeeded: 0 | 1 = 1): Promise<void> {
  const { tasks } = await claimTestTasks(client, { limit });
  const decided: DecidedItem[] = [succeeded ? [0, 1, null] : [0, 0, BROKEN]];
  // All that it asks of a pool a connection can do.
  await finishAttempts(
    client as unknown as Pool,
    tasks.map((task) => ({ ...task, decided, counters: null })),
  );
}

/** What the connection's statements have done to a table, by the database's own statistics. */
async function countsOf(table: string): Promise<Record<'updated' | 'inPlace' | 'read', number>> {
  await client.query('select pg_stat_force_next_flush()');
  const { rows } = await client.query(
    `select n_tup_upd::int as updated, n_tup_hot_upd::int as "inPlace",
       (coalesce(idx_tup_fetch, 0) + seq_tup_read)::int as read
     from pg_stat_user_tables where relname = $1`,
    [table],
  );
  return rows[0];
}

test('each way into progress and out of it is kept, and nothing else is', async () => {
  const first = await acceptJob(database);
  const tagged = await acceptJob(database, { options: { tags: ['nightly'] } });
  const scheduled = await acceptJob(database, { options: { delayMs: 3_600_000 } });
  expect(await readJobsInProgress(pool)).toEqual({ ids: [first, tagged], wrong: [] });

  await pool.query('update job set run_at = now() where run_at is not null');
  expect(await beginJobs(pool)).toEqual([scheduled]);
  expect(await readJobsInProgress(pool)).toEqual({ ids: [first, tagged, scheduled], wrong: [] });
  await end(1, 0);
  await end(1, 1);
  expect(await cancelJob(pool, scheduled, OWNER)).toBe(true);
  expect(await readJobsInProgress(pool)).toEqual({ ids: [], wrong: [] });

  await redriveTasks(pool, [{ jobId: first, seq: 0 }], OWNER);
  expect(await readJobsInProgress(pool)).toEqual({ ids: [first], wrong: [] });
});

test('what is refused leaves nothing', async () => {
  const key = newJob({ tasks: 1, itemsPerTask: 1, idempotencyKey: 'once' });
  const unique = () => newJob({ tasks: 1, itemsPerTask: 1, options: { uniqueFor: 'report' } });
  const answers = await acceptJobs(pool, [key, key, unique(), unique()], TEST_LEASES);
  expect(answers.map(({ outcome }) => outcome)).toEqual(['accepted', 'existing', 'accepted', 'existing']);
  const { ids, wrong } = await readJobsInProgress(pool);
  expect({ count: ids.length, wrong }).toEqual({ count: 2, wrong: [] });

  await end(2);
  expect(await acceptJobs(pool, [unique()], TEST_LEASES)).toMatchObject([{ outcome: 'accepted' }]);
});

test('changes by hand are kept as well', async () => {
  await acceptJobs(
    pool,
    Array.from({ length: 6 }, () => newJob({ tasks: 1, itemsPerTask: 1 })),
    TEST_LEASES,
  );
  const other = randomUUID();
  const changes = [
    `update job set started_at = started_at - id * interval '1 min'`,
    `update job set owner_id = '${other}', tags = '{by-hand}', type = 'other' where id % 2 = 0`,
    `update job set status = 'CANCELLED', ended_at = now(), started_at = now() where id = 1`,
    `update job set status = 'IN_PROGRESS', ended_at = null, started_at = now(), tags = '{again}' where id = 1`,
    'update job set id = id + 100 where id = 2',
    'update job set priority = 7',
    'delete from job where id in (3, 4)',
  ];
  for (const change of changes) {
    await pool.query(change);
    expect((await readJobsInProgress(pool)).wrong, change).toEqual([]);
  }
  expect((await readJobsInProgress(pool)).ids).toEqual([1, 5, 6, 102]);
  await pool.query('truncate job, job_tag, task, history');
  expect(await readJobsInProgress(pool)).toEqual({ ids: [], wrong: [] });
});

test('a job that is completed touches no index of jobs; one that fails, or was unique, does', async () => {
  const plain = Array.from({ length: 300 }, () => newJob({ tasks: 1, itemsPerTask: 1 }));
  await acceptJobs(pool, plain, TEST_LEASES);
  const before = await countsOf('job');
  await end(300);
  const completed = await countsOf('job');
  expect(completed.updated - before.updated).toBe(300);
  expect(completed.inPlace - before.inPlace).toBe(300);

  await acceptJob(database, { options: { uniqueFor: 'report' } });
  await end(1);
  await acceptJob(database);
  await end(1, 0);
  const after = await countsOf('job');
  expect(after.updated - completed.updated).toBe(2);
  expect(after.inPlace).toBe(completed.inPlace);
});

test('the end of a job looks for its own row only, also by plans from a time when nothing was in progress', async () => {
  const some = (count: number) => Array.from({ length: count }, () => newJob({ tasks: 1, itemsPerTask: 1 }));
  await pool.query('vacuum analyze job_in_progress');
  // Plans of triggers are kept from their first use on.
  for (let n = 0; n < 8; n += 1) {
    await acceptJobs(pool, some(1), TEST_LEASES);
    await end(1);
  }
  await acceptJobs(pool, some(2_000), TEST_LEASES);
  const before = await countsOf('job_in_progress');
  await end(50);
  const after = await countsOf('job_in_progress');
  expect(await readJobsInProgress(pool)).toMatchObject({ wrong: [] });
  expect(after.read - before.read).toBeLessThan(250);
});
