import { beforeEach, expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { acceptJob, newJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { acceptJobs } from './accept-jobs.ts';
import { beginJobs } from './begin-jobs.ts';
import { cancelJob } from './cancel-job.ts';
import { deferAttempts } from './defer-attempts.ts';
import { findNextWake } from './find-next-wake.ts';
import { finishAttempts } from './finish-attempts.ts';
import { retryAttempts } from './retry-attempts.ts';
import type { UnfinishedAttempt } from './return-tasks.ts';
import { wakeTasks } from './wake-tasks.ts';

const database = await openTestDatabase();
const { pool } = database;

beforeEach(async () => {
  await pool.query('truncate job, job_tag, task, history restart identity');
});

const claim = async () => (await claimTestTasks(pool)).tasks;

async function states(): Promise<string[]> {
  const { rows } = await pool.query('select state from task order by job_id, seq');
  return rows.map(({ state }) => state);
}

async function status(id: number): Promise<string> {
  const { rows } = await pool.query('select status from job where id = $1', [id]);
  return rows[0].status;
}

const unfinished = (task: { jobId: number; seq: number; attempt: number }): UnfinishedAttempt => ({
  jobId: task.jobId,
  seq: task.seq,
  attempt: task.attempt,
  decided: [],
  counters: null,
  error: { reason: 'Unavailable', message: 'Products is away' },
});

test('a scheduled job waits with its tasks until its time has come', async () => {
  const id = await acceptJob(database, { tasks: 2, options: { delayMs: 3_600_000 } });
  expect(await status(id)).toBe('SCHEDULED');
  expect(await states()).toEqual(['waiting', 'waiting']);
  expect(await beginJobs(pool)).toEqual([]);
  expect(await wakeTasks(pool)).toEqual({ types: [], more: false });
  expect(await claim()).toEqual([]);
  expect(await findNextWake(pool)).toBeGreaterThan(3_500_000);

  await pool.query(`update job set run_at = now(); update task set available_at = now()`);
  // A task is not woken before its job has begun.
  expect(await wakeTasks(pool)).toEqual({ types: [], more: false });
  expect(await beginJobs(pool)).toEqual([id]);
  expect(await beginJobs(pool)).toEqual([]);
  expect(await wakeTasks(pool)).toEqual({ types: ['echo'], more: false });
  expect(await claim()).toHaveLength(2);
});

test('a time that has passed is now', async () => {
  const id = await acceptJob(database, { options: { runAt: new Date('2020-01-01') } });
  expect(await status(id)).toBe('IN_PROGRESS');
  expect(await claim()).toHaveLength(1);
});

test('a scheduled job can be cancelled, and is not begun then', async () => {
  const id = await acceptJob(database, { options: { delayMs: 1 } });
  expect(await cancelJob(pool, id, OWNER)).toBe(true);
  expect(await states()).toEqual(['cancelled']);
  await expect.poll(() => beginJobs(pool)).toEqual([]);
  expect(await status(id)).toBe('CANCELLED');
});

test('an attempt that found a service away counts towards nothing, however often', async () => {
  const id = await acceptJob(database);
  for (let attempt = 1; attempt <= 40; attempt += 1) {
    const [task] = await claim();
    if (!task) throw new Error('nothing to claim');
    const [deferred] = await deferAttempts(pool, [unfinished(task)]);
    expect(deferred?.waitMs).toBeGreaterThan(0);
    expect(deferred?.waitMs).toBeLessThan(45_000);
    expect(await states()).toEqual(['waiting']);
    await pool.query('update task set available_at = now()');
    await wakeTasks(pool);
  }
  const [task] = await claim();
  if (!task) throw new Error('nothing to claim');
  const [job] = await finishAttempts(pool, [{ ...unfinished(task), decided: [[0, 1, null]] }]);
  expect(job).toMatchObject({ id, status: 'COMPLETED' });
  const { rows } = await pool.query('select failures, deferrals, attempt from task');
  expect(rows).toEqual([{ failures: 0, deferrals: 40, attempt: 41 }]);
  const told = await pool.query(`select event, attempt, detail from history order by id`);
  expect(told.rows).toEqual(
    [1, 2, 4, 8, 16, 32].map((times) => ({ event: 'deferred', attempt: times, detail: { times } })),
  );
});

test("a job's own attempts and backoff replace those of its type", async () => {
  await pool.query('update job_type set max_attempts = 3, backoff_ms = 0, max_backoff_ms = 0');
  await acceptJob(database, { options: { maxAttempts: 2, backoffMs: 60_000 } });
  const [first] = await claim();
  if (!first) throw new Error('nothing to claim');
  const [retried] = await retryAttempts(pool, [unfinished(first)]);
  expect(retried?.waitMs).toBeGreaterThan(40_000);
  await pool.query('update task set available_at = now()');
  await wakeTasks(pool);
  const [second] = await claim();
  if (!second) throw new Error('nothing to claim');
  expect(await retryAttempts(pool, [unfinished(second)])).toEqual([undefined]);
});

test('what failed, was deferred and died stands in the history, with its attempt and its reason', async () => {
  await acceptJob(database, { options: { maxAttempts: 2 } });
  const [first] = await claim();
  if (!first) throw new Error('nothing to claim');
  await deferAttempts(pool, [unfinished(first)]);
  await pool.query('update task set available_at = now()');
  await wakeTasks(pool);
  const [second] = await claim();
  if (!second) throw new Error('nothing to claim');
  await finishAttempts(pool, [
    { ...unfinished(second), decided: [[0, 0, { reason: 'InvalidRecord', message: 'no' }]] },
  ]);
  const { rows } = await pool.query(
    'select event, seq, attempt, round, executor_id, reason, message from history order by id',
  );
  const common = { seq: 0, round: 1, executor_id: 'executor-1' };
  expect(rows).toEqual([
    { ...common, event: 'deferred', attempt: 1, reason: 'Unavailable', message: 'Products is away' },
    { ...common, event: 'died', attempt: 2, reason: 'InvalidRecord', message: 'no' },
  ]);
});

test('no second unfinished job of an owner is unique for the same', async () => {
  const asked = () => newJob({ tasks: 1, itemsPerTask: 1, options: { uniqueFor: 'nightly' } });
  const together = await acceptJobs(pool, [asked(), asked()], TEST_LEASES);
  expect(together.map(({ outcome }) => outcome)).toEqual(['accepted', 'existing']);
  const others = [
    { ...asked(), ownerId: '00000000-0000-4000-8000-000000000009' },
    newJob({ tasks: 1, itemsPerTask: 1, options: { uniqueFor: 'weekly' } }),
  ];
  expect((await acceptJobs(pool, others, TEST_LEASES)).map(({ outcome }) => outcome)).toEqual([
    'accepted',
    'accepted',
  ]);
  const [first] = together;
  await cancelJob(pool, first?.outcome === 'accepted' ? first.id : 0, OWNER);
  expect(await acceptJobs(pool, [asked()], TEST_LEASES)).toMatchObject([{ outcome: 'accepted' }]);
});

test('a task whose executor has a place starts with the acceptance of its job', async () => {
  const job = newJob({ tasks: 2, itemsPerTask: 1 });
  const [first, second] = job.tasks;
  if (!first || !second) throw new Error('no tasks');
  await acceptJobs(pool, [{ ...job, tasks: [{ ...first, executorId: 'executor-7' }, second] }], TEST_LEASES);
  const { rows } = await pool.query(
    'select state, attempt, executor_id, lease_until > now() as leased from task order by seq',
  );
  expect(rows).toEqual([
    { state: 'running', attempt: 1, executor_id: 'executor-7', leased: true },
    { state: 'ready', attempt: 0, executor_id: null, leased: null },
  ]);
});
