import type { DecidedItem } from '@jobber/db/jobs';
import { expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import {
  acceptJob,
  newJob,
  OWNER,
  openTestDatabase,
  TEST_LEASES,
  TEST_TRACE,
} from '../testing/open-test-database.ts';
import { acceptJobs, type NewTask } from './accept-jobs.ts';
import { type AttemptRef, keyOf } from './attempt-ref.ts';
import { buryTasks } from './bury-tasks.ts';
import { cancelJob } from './cancel-job.ts';
import { FIRST_OWNER } from './choose-fairly.ts';
import { dispatchTasks } from './dispatch-tasks.ts';
import { findHopelessTasks } from './find-hopeless-tasks.ts';
import { finishAttempts } from './finish-attempts.ts';
import { handBackAttempts } from './hand-back-attempts.ts';
import { recallTasks } from './recall-tasks.ts';
import { MAX_INTERRUPTIONS, releaseAttempts } from './release-attempts.ts';
import { renewLeases } from './renew-leases.ts';
import { rescueTasks } from './rescue-tasks.ts';
import { retryAttempts } from './retry-attempts.ts';
import type { ReturnTasks, UnfinishedAttempt } from './return-tasks.ts';
import { startTasks } from './start-tasks.ts';
import { wakeTasks } from './wake-tasks.ts';

const database = await openTestDatabase();
const { pool } = database;

const LEASE_MS = 60_000;
const claim = async (limit: number, leaseMs = LEASE_MS) =>
  (await claimTestTasks(pool, { limit, leaseMs })).tasks;
const first = (transition: ReturnTasks) => async (_pool: unknown, attempt: UnfinishedAttempt) =>
  (await transition(pool, [attempt]))[0];
const retryAttempt = first(retryAttempts);
const releaseAttempt = first(releaseAttempts);
const handBackAttempt = first(handBackAttempts);
/** Backoffs of the job type are 0: what waits is due at once. */
const wake = () => wakeTasks(pool);
const succeeded = (count: number): DecidedItem[] =>
  Array.from({ length: count }, (_, offset) => [offset, 1, { offset }]);
const finish = (ref: AttemptRef, decided: readonly DecidedItem[]) =>
  finishAttempts(pool, [{ ...ref, decided, counters: null }]).then(([finished]) => finished !== undefined);
const unfinished = (ref: AttemptRef, decided: readonly DecidedItem[] = []) => ({
  ...ref,
  decided,
  counters: null,
  error: { reason: 'Error', message: 'it failed' },
});

async function job(id: number) {
  const { rows } = await pool.query('select status, completed, failed, ended_at from job where id = $1', [
    id,
  ]);
  return {
    status: rows[0].status,
    completed: rows[0].completed,
    failed: rows[0].failed,
    ended: rows[0].ended_at !== null,
  };
}

async function task(ref: { jobId: number; seq: number }) {
  const { rows } = await pool.query('select * from task where job_id = $1 and seq = $2', [
    ref.jobId,
    ref.seq,
  ]);
  return rows[0];
}

async function claimOne(leaseMs?: number) {
  const [claimed] = await claim(1, leaseMs);
  if (!claimed) throw new Error('nothing to claim');
  return claimed;
}

test('a job is completed with its last item, and terminal is final', async () => {
  const id = await acceptJob(database, { tasks: 2, itemsPerTask: 3 });
  const tasks = await claim(10);
  expect(tasks.map(({ jobId, seq, attempt }) => [jobId, seq, attempt])).toEqual([
    [id, 0, 1],
    [id, 1, 1],
  ]);
  const [first, second] = tasks as unknown as [AttemptRef, AttemptRef];
  expect(await finish(first, succeeded(3))).toBe(true);
  expect(await job(id)).toEqual({ status: 'IN_PROGRESS', completed: 3, failed: 0, ended: false });
  expect(await finish(second, succeeded(3))).toBe(true);
  const done = { status: 'COMPLETED', completed: 6, failed: 0, ended: true };
  expect(await job(id)).toEqual(done);
  expect(await finish(second, succeeded(3))).toBe(false);
  expect(await cancelJob(pool, id, OWNER)).toBe(false);
  expect(await job(id)).toEqual(done);
});

test('progress is kept of the attempt that runs, and no other attempt changes it', async () => {
  await acceptJob(database);
  const first = await claimOne();
  const said = { done: 1, total: 4, note: 'one' };
  const renew = (ref: AttemptRef, progress = said) =>
    renewLeases(pool, [ref], LEASE_MS, new Map([[keyOf(ref), progress]]));
  expect(await renew(first)).toEqual(['renewed']);
  const kept = { ...said, attempt: 1, at: expect.any(Number) };
  expect((await task(first)).progress).toEqual(kept);
  expect(await renewLeases(pool, [first], LEASE_MS)).toEqual(['renewed']);
  expect((await task(first)).progress).toEqual(kept);

  await releaseAttempt(pool, unfinished(first));
  const second = await claimOne();
  expect(await renew(first, { ...said, done: 4 })).toEqual(['lost']);
  expect((await task(second)).progress).toEqual(kept);
  expect(await renew(second, { ...said, done: 2 })).toEqual(['renewed']);
  expect((await task(second)).progress).toEqual({ ...kept, attempt: 2, done: 2 });
});

test('one item that failed for good fails the job and makes its task a dead letter', async () => {
  const id = await acceptJob(database, { itemsPerTask: 2 });
  const claimed = await claimOne();
  const decided: DecidedItem[] = [
    [0, 1, null],
    [1, 0, { reason: 'InvalidRecord', message: 'no' }],
  ];
  expect(await finish(claimed, decided)).toBe(true);
  expect(await job(id)).toEqual({ status: 'FAILED', completed: 1, failed: 1, ended: true });
  expect((await task(claimed)).state).toBe('dead');
});

test('of two copies of an outcome only the first is recorded, also within one batch', async () => {
  const id = await acceptJob(database);
  const claimed = await claimOne();
  const outcome = { ...claimed, decided: succeeded(1), counters: { created: 1 } };
  expect(await finishAttempts(pool, [outcome, outcome])).toMatchObject([
    { id, status: 'COMPLETED' },
    undefined,
  ]);
  expect(await job(id)).toMatchObject({ completed: 1 });
  expect((await task(claimed)).counters).toEqual([{ created: 1 }]);
});

test('an outcome that does not fit its task changes nothing', async () => {
  const id = await acceptJob(database, { itemsPerTask: 2 });
  const claimed = await claimOne();
  expect(await finish(claimed, succeeded(1))).toBe(false);
  expect(
    await finish(claimed, [
      [0, 1, null],
      [7, 1, null],
    ]),
  ).toBe(false);
  expect(await finish({ ...claimed, attempt: 2 }, succeeded(2))).toBe(false);
  expect(await job(id)).toMatchObject({ status: 'IN_PROGRESS', completed: 0 });
  expect(await finish(claimed, succeeded(2))).toBe(true);
});

test('a zombie that wakes after its lease changes nothing', async () => {
  const id = await acceptJob(database);
  const zombie = await claimOne(-1_000);
  expect((await rescueTasks(pool, MAX_INTERRUPTIONS)).map(({ jobId }) => jobId)).toContain(id);
  const heir = await claimOne();
  expect(heir).toMatchObject({ jobId: id, attempt: 2 });
  expect(await finish(zombie, succeeded(1))).toBe(false);
  expect(await retryAttempt(pool, unfinished(zombie))).toBeUndefined();
  expect(await releaseAttempt(pool, unfinished(zombie))).toBeUndefined();
  expect(await renewLeases(pool, [zombie, heir], LEASE_MS)).toEqual(['lost', 'renewed']);
  expect(await finish(heir, succeeded(1))).toBe(true);
  expect(await job(id)).toMatchObject({ status: 'COMPLETED', completed: 1 });
});

test('a retry keeps decided items and runs only the others again, up to the limit of the type', async () => {
  const id = await acceptJob(database, { itemsPerTask: 3 });
  const first = await claimOne();
  expect(await retryAttempt(pool, unfinished(first, [[1, 1, 'one']]))).toMatchObject({ type: 'echo' });
  expect(await job(id)).toMatchObject({ status: 'IN_PROGRESS', completed: 1 });
  await wake();
  const second = await claimOne();
  expect(second).toMatchObject({ attempt: 2, decidedOffsets: [1] });
  expect(
    await finish(second, [
      [0, 1, null],
      [1, 1, 'again'],
    ]),
  ).toBe(false);
  expect(await retryAttempt(pool, unfinished(second))).toMatchObject({ type: 'echo' });
  await wake();
  const third = await claimOne();
  expect(await retryAttempt(pool, unfinished(third))).toBeUndefined();
  expect(
    await finish(third, [
      [0, 1, null],
      [2, 0, { reason: 'Error', message: 'it failed' }],
    ]),
  ).toBe(true);
  expect(await job(id)).toMatchObject({ status: 'FAILED', completed: 2, failed: 1 });
});

test('a dead task tells the error of an item that has failed, whatever others have met on the way', async () => {
  const broken: DecidedItem = [0, 0, { reason: 'Broken', message: 'it is broken' }];
  const lastWords = async (id: number) => {
    const { rows } = await pool.query(
      `select last_error, reason, message from task join history using (job_id, seq)
       where job_id = $1 and event = 'died'`,
      [id],
    );
    return rows[0];
  };
  const id = await acceptJob(database, { itemsPerTask: 2 });
  const unlucky = {
    ...unfinished(await claimOne(), [broken]),
    error: { reason: 'Busy', message: 'not yet' },
  };
  await retryAttempt(pool, unlucky);
  await wake();
  expect(await finish(await claimOne(), [[1, 1, null]])).toBe(true);
  expect(await lastWords(id)).toEqual({
    last_error: 'it is broken',
    reason: 'Broken',
    message: 'it is broken',
  });

  const both = await acceptJob(database, { itemsPerTask: 2 });
  await retryAttempt(pool, unfinished(await claimOne(), [broken]));
  await wake();
  expect(await finish(await claimOne(), [[1, 0, { reason: 'Busy', message: 'not any more' }]])).toBe(true);
  expect(await lastWords(both)).toEqual({
    last_error: 'not any more',
    reason: 'Busy',
    message: 'not any more',
  });
});

test('interruptions do not count as failures but have a limit of their own', async () => {
  const id = await acceptJob(database);
  for (let attempt = 1; attempt < MAX_INTERRUPTIONS; attempt += 1) {
    const claimed = await claimOne();
    expect(claimed.interruptions).toBe(attempt - 1);
    expect(await releaseAttempt(pool, unfinished(claimed))).toMatchObject({ type: 'echo' });
  }
  const last = await claimOne(-1_000);
  expect(await task(last)).toMatchObject({ failures: 0, interruptions: MAX_INTERRUPTIONS - 1 });
  expect(await releaseAttempt(pool, unfinished(last))).toBeUndefined();
  expect((await rescueTasks(pool, MAX_INTERRUPTIONS)).filter(({ jobId }) => jobId === id)).toEqual([]);
  const [hopeless] = await findHopelessTasks(pool, MAX_INTERRUPTIONS);
  expect(hopeless).toMatchObject({ jobId: id });
  const error = { reason: 'Lost', message: 'lost' };
  // Its executor is heard of after all, after it was found and before it is buried.
  expect(await renewLeases(pool, [last], LEASE_MS)).toEqual(['renewed']);
  expect(await buryTasks(pool, [{ ...last, ...error }])).toEqual([]);
  expect(await job(id)).toMatchObject({ status: 'IN_PROGRESS' });
  expect(await renewLeases(pool, [last], -1_000)).toEqual(['renewed']);
  expect(await buryTasks(pool, [{ ...last, ...error }])).toMatchObject([{ id, status: 'FAILED' }]);
  expect(await buryTasks(pool, [{ ...last, ...error }])).toEqual([]);
  expect(await job(id)).toEqual({ status: 'FAILED', completed: 0, failed: 1, ended: true });
  expect((await task(last)).decided).toEqual([[0, 0, error]]);
});

test('an attempt that never began counts towards nothing, however often, and is not told', async () => {
  const id = await acceptJob(database, { itemsPerTask: 2 });
  await handBackAttempt(pool, unfinished(await claimOne(), succeeded(1)));
  for (let times = 0; times < 2 * MAX_INTERRUPTIONS; times += 1) {
    const claimed = await claimOne();
    expect(await handBackAttempt(pool, unfinished(claimed))).toMatchObject({ type: 'echo', waitMs: 0 });
    expect(await handBackAttempt(pool, unfinished(claimed))).toBeUndefined();
  }
  const last = await claimOne();
  expect(await task(last)).toMatchObject({ failures: 0, interruptions: 0, deferrals: 0 });
  expect((await pool.query('select from history where job_id = $1', [id])).rowCount).toBe(0);
  expect(await finish(last, [[1, 1, null]])).toBe(true);
  expect(await job(id)).toMatchObject({ status: 'COMPLETED', completed: 2 });
});

test('cancelling ends waiting and running tasks, and a late outcome changes nothing', async () => {
  const id = await acceptJob(database, { tasks: 2 });
  const running = await claimOne();
  expect(await cancelJob(pool, id, OWNER)).toBe(true);
  expect(await job(id)).toEqual({ status: 'CANCELLED', completed: 0, failed: 0, ended: true });
  expect(await renewLeases(pool, [running], LEASE_MS)).toEqual(['cancelled']);
  expect(await finish(running, succeeded(1))).toBe(false);
  expect(await claim(10)).toEqual([]);
  expect(await cancelJob(pool, id, OWNER)).toBe(false);
});

const dispatch = async (limit: number, hintMs = LEASE_MS) => {
  const asked = { types: ['echo'], limit, order: 'oldest', afterOwner: FIRST_OWNER } as const;
  return (await dispatchTasks(pool, { ...asked, maxRunningPerOwner: null, hintMs })).tasks;
};
const start = async (...refs: AttemptRef[]) =>
  (
    await startTasks(
      pool,
      refs.map((ref) => ({ ...ref, executorId: 'executor-1' })),
      LEASE_MS,
    )
  ).map((task) => task?.attempt);

test('a hint starts a dispatched task once; late, doubled and forged hints are superseded', async () => {
  const id = await acceptJob(database);
  const hint = { jobId: id, seq: 0, attempt: 1 };
  expect(await start(hint)).toEqual([undefined]);
  expect(await dispatch(10)).toEqual([{ ...hint, type: 'echo', traceparent: TEST_TRACE }]);
  expect(await claim(10)).toEqual([]);
  expect(await start({ ...hint, attempt: 2 }, { ...hint, jobId: id + 1_000 }, hint, hint)).toEqual([
    undefined,
    undefined,
    1,
    undefined,
  ]);
  expect(await start(hint)).toEqual([undefined]);
  expect(await finish(hint, succeeded(1))).toBe(true);
});

test('a hint that the broker did not confirm, or that nobody has followed, leaves its task ready, and costs no attempt', async () => {
  const id = await acceptJob(database);
  const hint = { jobId: id, seq: 0, attempt: 1 };
  await dispatch(10);
  expect(await recallTasks(pool, [{ ...hint, attempt: 2 }])).toEqual([]);
  expect(await recallTasks(pool, [hint])).toEqual(['echo']);
  expect(await recallTasks(pool, [hint])).toEqual([]);
  expect(await start(hint)).toEqual([undefined]);
  expect(await dispatch(10, -1)).toHaveLength(1);
  expect(await rescueTasks(pool, MAX_INTERRUPTIONS)).toMatchObject([{ jobId: id, executorId: null }]);
  expect(await task(hint)).toMatchObject({ state: 'ready', attempt: 0, interruptions: 0, lease_until: null });
  const { rows } = await pool.query('select 1 from history where job_id = $1', [id]);
  expect(rows).toEqual([]);
  await dispatch(10);
  expect(await start(hint)).toEqual([1]);
  expect(await recallTasks(pool, [hint])).toEqual([]);
  expect(await finish(hint, succeeded(1))).toBe(true);
});

test('a task whose hint goes out with its acceptance is stored as dispatched', async () => {
  const { tasks, ...job } = newJob({ tasks: 2, itemsPerTask: 1 });
  const [first, second] = tasks as [NewTask, NewTask];
  const [acceptance] = await acceptJobs(
    pool,
    [{ ...job, tasks: [{ ...first, dispatched: true }, second] }],
    TEST_LEASES,
  );
  const id = acceptance?.outcome === 'accepted' ? acceptance.id : 0;
  expect(await start({ jobId: id, seq: 0, attempt: 1 }, { jobId: id, seq: 1, attempt: 1 })).toEqual([
    1,
    undefined,
  ]);
  await cancelJob(pool, id, OWNER);
});

test('an idempotency key names one job, also among copies that arrive together', async () => {
  const asked = newJob({ tasks: 1, itemsPerTask: 1, idempotencyKey: 'the-key' });
  const together = await acceptJobs(pool, [asked, asked], TEST_LEASES);
  expect(together.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'existing']);
  expect(await acceptJobs(pool, [asked], TEST_LEASES)).toEqual([{ outcome: 'existing' }]);
  await finish(await claimOne(), succeeded(1));
});

test('claims of several executors at once never meet', async () => {
  await acceptJobs(
    pool,
    Array.from({ length: 20 }, () => newJob({ tasks: 5, itemsPerTask: 1 })),
    TEST_LEASES,
  );
  const claims = await Promise.all(Array.from({ length: 10 }, () => claim(10)));
  const keys = claims.flat().map(({ jobId, seq }) => `${jobId}/${seq}`);
  expect(keys).toHaveLength(100);
  expect(new Set(keys).size).toBe(100);
  const outcomes = claims.map((tasks) =>
    finishAttempts(
      pool,
      tasks.map((ref) => ({ ...ref, decided: succeeded(1), counters: null })),
    ),
  );
  expect((await Promise.all(outcomes)).flat()).toEqual(
    Array.from({ length: 100 }, () => expect.objectContaining({ status: expect.any(String) })),
  );
});

test('a job that is cancelled while it finishes is one or the other, never both', async () => {
  for (let round = 0; round < 20; round += 1) {
    const id = await acceptJob(database);
    const claimed = await claimOne();
    const [finished, cancelled] = await Promise.all([
      finish(claimed, succeeded(1)),
      cancelJob(pool, id, OWNER),
    ]);
    expect([finished, cancelled].filter(Boolean)).toHaveLength(1);
    expect((await job(id)).status).toBe(finished ? 'COMPLETED' : 'CANCELLED');
  }
});

test('a task of which an earlier attempt has failed an item for good is dead, also when the others succeed', async () => {
  const id = await acceptJob(database, { itemsPerTask: 2 });
  const claimed = await claimOne();
  await retryAttempt(pool, unfinished(claimed, [[0, 0, { reason: 'InvalidRecord', message: 'no' }]]));
  await wake();
  expect(await finish(await claimOne(), [[1, 1, null]])).toBe(true);
  expect(await job(id)).toEqual({ status: 'FAILED', completed: 1, failed: 1, ended: true });
  expect(await task(claimed)).toMatchObject({ state: 'dead', died_at: expect.any(String) });
});
