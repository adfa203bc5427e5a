import type { DecidedItem } from '@jobber/db/jobs';
import { beforeEach, expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { acceptJob, OWNER, openTestDatabase } from '../testing/open-test-database.ts';
import { cancelJob } from './cancel-job.ts';
import { finishAttempts } from './finish-attempts.ts';
import { redriveTasks } from './redrive-tasks.ts';
import type { StartedTask } from './started-task.ts';

const database = await openTestDatabase();
const { pool } = database;
const BROKEN = { reason: 'Broken', message: 'it is broken' };

beforeEach(async () => {
  await pool.query('truncate job, job_tag, task, history, upload restart identity');
});

const claim = async () => (await claimTestTasks(pool)).tasks;

/** The outcome of a task whose only item has failed for good. */
const fail = (task: StartedTask | undefined) =>
  ({ ...(task as StartedTask), decided: [[0, 0, BROKEN]], counters: null }) as const;

/** A job of two tasks with two items each; the second item of each fails. */
async function failedJob(options = {}): Promise<number> {
  const id = await acceptJob(database, { tasks: 2, itemsPerTask: 2, ...options });
  const decided: DecidedItem[] = [
    [0, 1, 'fine'],
    [1, 0, BROKEN],
  ];
  const outcomes = (await claim()).map((task) => ({ ...task, decided, counters: null }));
  await finishAttempts(pool, outcomes);
  return id;
}

async function job(id: number) {
  const { rows } = await pool.query(
    'select status, completed, failed, round, ended_at is not null as ended from job where id = $1',
    [id],
  );
  return rows[0];
}

test('a redrive starts a new round with the failed items only, and keeps what had happened', async () => {
  const id = await failedJob();
  expect(await job(id)).toEqual({ status: 'FAILED', completed: 2, failed: 2, round: 1, ended: true });
  const redriven = await redriveTasks(pool, [{ jobId: id, seq: 1 }], OWNER);
  expect(redriven.tasks).toEqual([{ jobId: id, seq: 1, type: 'echo', refusal: null, items: 1 }]);
  expect(redriven.jobs).toMatchObject([{ id, status: 'IN_PROGRESS', completed: 2, failed: 1, round: 2 }]);

  const [again, ...others] = await claim();
  expect(others).toEqual([]);
  expect(again).toMatchObject({ jobId: id, seq: 1, attempt: 2, decidedOffsets: [0] });
  await finishAttempts(pool, [
    { ...(again as NonNullable<typeof again>), decided: [[1, 1, 'now']], counters: null },
  ]);
  expect(await job(id)).toEqual({ status: 'FAILED', completed: 3, failed: 1, round: 2, ended: true });

  await redriveTasks(pool, [{ jobId: id, seq: 0 }], OWNER);
  const [last] = await claim();
  await finishAttempts(pool, [
    { ...(last as NonNullable<typeof last>), decided: [[1, 1, 'too']], counters: null },
  ]);
  expect(await job(id)).toEqual({ status: 'COMPLETED', completed: 4, failed: 0, round: 3, ended: true });
  const { rows } = await pool.query('select event, seq, round, detail from history order by id');
  expect(rows).toMatchObject([
    { event: 'died', seq: 0, round: 1 },
    { event: 'died', seq: 1, round: 1 },
    { event: 'redriven', seq: 1, round: 2, detail: { by: OWNER, failed: [[1, 0, BROKEN]] } },
    { event: 'redriven', seq: 0, round: 3, detail: { by: OWNER, failed: [[1, 0, BROKEN]] } },
  ]);
});

test('of two redrives at once one starts the round', async () => {
  const id = await failedJob();
  const both = [0, 1].map((seq) => ({ jobId: id, seq }));
  const results = await Promise.all([redriveTasks(pool, both, OWNER), redriveTasks(pool, both, OWNER)]);
  expect(results.map(({ jobs }) => jobs.length).sort()).toEqual([0, 1]);
  expect(await job(id)).toMatchObject({ status: 'IN_PROGRESS', failed: 0, round: 2 });
});

test('what can not be run again is refused with a reason, and the others are run', async () => {
  const failed = await failedJob();
  const unfinished = await acceptJob(database, { tasks: 2 });
  const [task] = await claim();
  await finishAttempts(pool, [
    { ...(task as NonNullable<typeof task>), decided: [[0, 0, BROKEN]], counters: null },
  ]);
  const cancelled = await acceptJob(database, { tasks: 2 });
  const mine = (await claim()).filter(({ jobId }) => jobId === cancelled);
  await finishAttempts(pool, [
    { ...(mine[0] as NonNullable<typeof task>), decided: [[0, 0, BROKEN]], counters: null },
  ]);
  await cancelJob(pool, cancelled, OWNER);
  const unique = await failedJob({ options: { uniqueFor: 'nightly' } });
  await acceptJob(database, { options: { uniqueFor: 'nightly' } });
  const gone = await failedJob();
  await pool.query(
    `insert into upload (name, owner_id, original_name, format, size, sha256, records, slices, removed_at)
     values ('gone', $1, 'a.json', 'json', 1, '', 4, '[]', now())`,
    [OWNER],
  );
  await pool.query(`update job set upload_name = 'gone' where id = $1`, [gone]);
  await pool.query('update task set items = null where job_id = $1', [gone]);

  const ids = [failed, unfinished, cancelled, unique, gone, 999];
  const { tasks, jobs } = await redriveTasks(
    pool,
    ids.map((jobId) => ({ jobId, seq: 0 })),
    OWNER,
  );
  expect(tasks.map(({ jobId, refusal }) => [jobId, refusal])).toEqual([
    [failed, null],
    [unfinished, 'JOB_UNFINISHED'],
    [cancelled, 'JOB_CANCELLED'],
    [unique, 'UNIQUE_CONFLICT'],
    [gone, 'INPUT_GONE'],
    [999, 'NOT_DEAD'],
  ]);
  expect(jobs.map(({ id }) => id)).toEqual([failed]);
});

test('of several jobs that are unique for the same one is run again, and the others are refused', async () => {
  const options = { uniqueFor: 'nightly' };
  const ids = [await failedJob({ options }), await failedJob({ options }), await failedJob({ options })];
  const { tasks, jobs } = await redriveTasks(
    pool,
    ids.map((jobId) => ({ jobId, seq: 0 })),
    OWNER,
  );
  expect(tasks.map(({ refusal }) => refusal)).toEqual([null, 'UNIQUE_CONFLICT', 'UNIQUE_CONFLICT']);
  expect(jobs.map(({ id }) => id)).toEqual(ids.slice(0, 1));
});

test('a redrive that waits while its job ends starts the round of the job as it is then', async () => {
  const id = await acceptJob(database, { tasks: 2 });
  const [first, second] = await claim();
  await finishAttempts(pool, [fail(first)]);
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select from job where id = $1 for update', [id]);
  const redriven = redriveTasks(pool, [{ jobId: id, seq: 0 }], OWNER);
  await waitsForLock();
  await finishAttempts(client as unknown as typeof pool, [fail(second)]);
  await client.query('commit');
  client.release();
  expect((await redriven).tasks).toMatchObject([{ refusal: null }]);
  expect(await job(id)).toEqual({ status: 'IN_PROGRESS', completed: 0, failed: 1, round: 2, ended: false });
});

test('a job that fails and begins a new round while it is cancelled is cancelled with the tasks of that round', async () => {
  const id = await acceptJob(database, { tasks: 2 });
  const [first, second] = await claim();
  await finishAttempts(pool, [fail(first)]);
  const client = await pool.connect();
  await client.query('begin');
  await finishAttempts(client as unknown as typeof pool, [fail(second)]);
  const cancelled = cancelJob(pool, id, OWNER);
  await waitsForLock();
  await redriveTasks(client, [{ jobId: id, seq: 0 }], OWNER);
  await client.query('commit');
  client.release();
  expect(await cancelled).toBe(true);
  const { rows } = await pool.query('select seq, state from task where job_id = $1 order by seq', [id]);
  expect(rows).toEqual([
    { seq: 0, state: 'cancelled' },
    { seq: 1, state: 'dead' },
  ]);
});

async function waitsForLock(): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await pool.query(
          `select count(*)::int as n from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows[0].n;
      },
      { timeout: 60_000 },
    )
    .toBe(1);
}
