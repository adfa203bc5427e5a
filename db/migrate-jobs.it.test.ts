import { createTestDatabase } from '@jobber/compose/test-database';
import { expect, test } from 'vitest';
import { type Database, openDatabase } from './connection.ts';
import { jobsDatabase } from './jobs/index.ts';
import { migrate } from './migrate-database.ts';

const OWNER = '00000000-0000-4000-8000-000000000001';

/** A database as the first release has left it: jobs that have ended, one that runs, tasks in every state. */
const DATA_OF_0001 = `
  insert into job_type (slug, name, version, description, input_schema, items_per_task, max_attempts, backoff_ms,
    max_backoff_ms, timeout_ms, max_items)
  values ('echo', 'Echo', 1, '', '{}', 1, 3, 0, 0, 1000, 100);
  insert into job (id, owner_id, type, status, size, completed, failed, idempotency_key, started_at, ended_at) values
    (1, '${OWNER}', 'echo', 'COMPLETED', 1, 1, 0, 'key', '2026-01-01Z', '2026-01-02Z'),
    (2, '${OWNER}', 'echo', 'FAILED', 1, 0, 1, null, '2026-01-01Z', '2026-01-03Z'),
    (3, '${OWNER}', 'echo', 'IN_PROGRESS', 5, 0, 1, null, '2026-01-01Z', null);
  insert into task (job_id, seq, type, state, available_at, lease_until, executor_id, attempt, first_item, item_count,
    items, decided) values
    (1, 0, 'echo', 'succeeded', now(), null, null, 1, 0, 1, '[{}]', '[[0,1,null]]'),
    (2, 0, 'echo', 'dead', now(), null, null, 1, 0, 1, '[{}]', '[[0,0,{}]]'),
    (3, 0, 'echo', 'ready', now() - interval '1 s', null, null, 0, 0, 1, '[{}]', '[]'),
    (3, 1, 'echo', 'ready', now() + interval '1 h', null, null, 1, 1, 1, '[{}]', '[]'),
    (3, 2, 'echo', 'running', now(), now() + interval '1 m', 'executor-1', 1, 2, 1, '[{}]', '[]'),
    (3, 3, 'echo', 'dead', now(), null, null, 3, 3, 1, '[{}]', '[[0,0,{}]]'),
    (3, 4, 'echo', 'cancelled', now(), null, null, 0, 4, 1, '[{}]', '[]')`;

async function withDatabase<Result>(
  url: string,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(jobsDatabase, { url });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

test('jobs and tasks of the first release go on with what the next ones need', async () => {
  const { url } = await createTestDatabase();
  await migrate({ ...jobsDatabase, migrations: jobsDatabase.migrations.slice(0, 1) }, url);
  await withDatabase(url, ({ pool }) => pool.query(DATA_OF_0001));
  expect(await migrate(jobsDatabase, url)).toEqual(jobsDatabase.migrations.slice(1).map(({ name }) => name));

  await withDatabase(url, async ({ pool }) => {
    const tasks = await pool.query(`
      select job_id::int, seq, state, owner_id, priority, deferrals, attempt, died_at = '2026-01-03Z' as died_with_job,
        died_at is not null as died
      from task order by job_id, seq`);
    const common = { owner_id: OWNER, priority: 0, deferrals: 0 };
    expect(tasks.rows).toEqual([
      { ...common, job_id: 1, seq: 0, state: 'succeeded', attempt: 1, died_with_job: null, died: false },
      { ...common, job_id: 2, seq: 0, state: 'dead', attempt: 1, died_with_job: true, died: true },
      { ...common, job_id: 3, seq: 0, state: 'ready', attempt: 0, died_with_job: null, died: false },
      { ...common, job_id: 3, seq: 1, state: 'waiting', attempt: 1, died_with_job: null, died: false },
      { ...common, job_id: 3, seq: 2, state: 'running', attempt: 1, died_with_job: null, died: false },
      // When it died is not known; its job has not ended.
      { ...common, job_id: 3, seq: 3, state: 'dead', attempt: 3, died_with_job: false, died: true },
      { ...common, job_id: 3, seq: 4, state: 'cancelled', attempt: 0, died_with_job: null, died: false },
    ]);
    const jobs = await pool.query(
      'select id::int, status, completed, failed, round, priority, tags, run_at, unique_for from job order by id',
    );
    const plain = { round: 1, priority: 0, tags: [], run_at: null, unique_for: null };
    expect(jobs.rows).toEqual([
      { ...plain, id: 1, status: 'COMPLETED', completed: 1, failed: 0 },
      { ...plain, id: 2, status: 'FAILED', completed: 0, failed: 1 },
      { ...plain, id: 3, status: 'IN_PROGRESS', completed: 0, failed: 1 },
    ]);
    const types = await pool.query('select slug, max_running from job_type');
    expect(types.rows).toEqual([{ slug: 'echo', max_running: 0 }]);
  });
});

/** A job of every status, as the release before the index of jobs in progress has left them. */
const DATA_OF_0005 = `
  insert into job (id, owner_id, type, status, size, completed, failed, started_at, ended_at, run_at, unique_for, tags) values
    (1, '${OWNER}', 'echo', 'IN_PROGRESS', 2, 1, 0, '2026-01-01Z', null, null, 'report', '{nightly,big}'),
    (2, '${OWNER}', 'echo', 'COMPLETED', 1, 1, 0, '2026-01-01Z', '2026-01-02Z', '2026-01-01Z', 'report', '{}'),
    (3, '${OWNER}', 'echo', 'FAILED', 1, 0, 1, '2026-01-01Z', '2026-01-02Z', null, 'report', '{}'),
    (4, '${OWNER}', 'echo', 'SCHEDULED', 1, 0, 0, '2026-01-01Z', null, '2036-01-01Z', 'later', '{}'),
    (5, '${OWNER}', 'echo', 'AWAITING_APPROVAL', 1, 0, 0, '2026-01-01Z', null, null, null, '{}'),
    (6, '${OWNER}', 'echo', 'CANCELLED', 1, 0, 0, '2026-01-01Z', '2026-01-02Z', '2026-01-01Z', null, '{}'),
    (7, '${OWNER}', 'echo', 'IN_PROGRESS', 1, 0, 0, '2026-01-01Z', null, '2026-01-01Z', null, '{}')`;

test('a large table that is written anew has a map of what all may see', async () => {
  const { url } = await createTestDatabase();
  await migrate({ ...jobsDatabase, migrations: jobsDatabase.migrations.slice(0, 5) }, url);
  await withDatabase(url, ({ pool }) =>
    pool.query(`
      insert into job (owner_id, type, status, size, completed, ended_at)
      select '${OWNER}', 'echo', 'COMPLETED', 1, 1, now() from generate_series(1, 10000)`),
  );
  await migrate(jobsDatabase, url);
  await withDatabase(url, async ({ pool }) => {
    const { rows } = await pool.query(
      `select relallvisible > 0.9 * relpages as nearly_all from pg_class where relname = 'job' and relpages > 0`,
    );
    expect(rows).toEqual([{ nearly_all: true }]);
  });
});

test('jobs of every status are found by the indexes that come after them', async () => {
  const { url } = await createTestDatabase();
  await migrate({ ...jobsDatabase, migrations: jobsDatabase.migrations.slice(0, 5) }, url);
  await withDatabase(url, ({ pool }) => pool.query(DATA_OF_0005));
  await migrate(jobsDatabase, url);

  await withDatabase(url, async ({ pool }) => {
    const jobs = await pool.query(`
      select id::int, listed_status, scheduled_at = run_at as scheduled, unfinished_for from job
      where (listed_status, scheduled_at, unfinished_for) is distinct from (null, null, null) order by id`);
    expect(jobs.rows).toEqual([
      { id: 1, listed_status: null, scheduled: null, unfinished_for: 'report' },
      { id: 3, listed_status: 'FAILED', scheduled: null, unfinished_for: null },
      { id: 4, listed_status: 'SCHEDULED', scheduled: true, unfinished_for: 'later' },
      { id: 5, listed_status: 'AWAITING_APPROVAL', scheduled: null, unfinished_for: null },
      { id: 6, listed_status: 'CANCELLED', scheduled: null, unfinished_for: null },
    ]);
    const inProgress = await pool.query(`
      select job_id::int, owner_id, type, started_at = '2026-01-01Z' as same_begin, tags from job_in_progress order by job_id`);
    const common = { owner_id: OWNER, type: 'echo', same_begin: true };
    expect(inProgress.rows).toEqual([
      { ...common, job_id: 1, tags: ['nightly', 'big'] },
      { ...common, job_id: 7, tags: null },
    ]);
    await expect(
      pool.query(`insert into job (id, owner_id, type, status, size, unique_for)
        values (8, '${OWNER}', 'echo', 'IN_PROGRESS', 1, 'report')`),
    ).rejects.toThrow('job_unique_for');
  });
});
