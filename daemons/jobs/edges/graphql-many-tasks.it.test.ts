import { JobType } from '@jobber/db/jobs';
import { expect, test } from 'vitest';
import { MAX_TASKS } from '../input/check-input.ts';
import { ECHO } from '../testing/open-test-database.ts';
import { EXECUTE, startTestJobs } from '../testing/test-jobs.ts';
import { TASKS_PER_STATEMENT } from '../transitions/tasks-per-statement.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { pool } = jobs.database;
const member = auth.user();
await jobs.database.orm.em.fork().insert(JobType, {
  ...ECHO,
  slug: 'tiny',
  name: 'Tiny',
  inputSchema: { type: 'object' },
  itemsPerTask: 1,
  maxItems: 10_000_000,
});

const EXECUTE_JOBS =
  'mutation ($inputs: [ExecuteJobInput!]!) { executeJobs(executeJobsInput: $inputs) { id } }';
/** Written by three statements. */
const MANY = 2 * TASKS_PER_STATEMENT + 1;

const execute = (name: string, data: unknown) => ask(member, EXECUTE, { input: { name, data } });
const items = (count: number) => Array.from({ length: count }, () => ({}));

async function count(table: 'job' | 'task'): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return rows[0]?.count ?? 0;
}

/** As if all items of all jobs, of one item a task, had failed. */
async function failAll(): Promise<void> {
  await pool.query(`update task set state = 'dead', attempt = 1, died_at = now(),
    decided = '[[0, 0, {"reason": "Broken", "message": "it is broken"}]]'`);
  await pool.query(`update job set status = 'FAILED', failed = size, ended_at = now()`);
}

test('a job of many tasks is accepted, tried again and cancelled as a whole', async () => {
  const { data, errors } = await execute('tiny', items(MANY));
  expect(errors).toBeUndefined();
  const { id, size } = data.executeJob;
  expect([size, await count('task')]).toEqual([MANY, MANY]);
  await failAll();
  const retried = await ask(member, 'mutation ($id: Float!) { retryJob(id: $id) { status failed round } }', {
    id,
  });
  expect(retried.data?.retryJob).toEqual({ status: 'IN_PROGRESS', failed: 0, round: 2 });
  const cancelled = await ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id });
  expect(cancelled.data?.cancelJob).toEqual({ status: 'CANCELLED' });
  const { rows } = await pool.query('select distinct state from task');
  expect(rows).toEqual([{ state: 'cancelled' }]);
  await pool.query('truncate job, job_tag, task, history');
});

test('a filter runs all dead letters of a job again, however many they are, and says what is left', async () => {
  const many = 50_001;
  await execute('tiny', items(1));
  const { id } = (await execute('tiny', items(many))).data.executeJob;
  await execute('tiny', items(2));
  await failAll();
  const redrive =
    'mutation ($all: Boolean) { redriveDeadLetters(all: $all) { matched redriven jobs remaining } }';
  const { data } = await ask(member, redrive, { all: true });
  expect(data?.redriveDeadLetters).toEqual({
    matched: many + 3,
    redriven: many + 1,
    jobs: [id - 1, id],
    remaining: 2,
  });
  const { rows } = await pool.query(
    'select job_id::int as id, state, count(*)::int as tasks from task group by 1, 2',
  );
  expect(rows.toSorted((a, b) => a.id - b.id)).toEqual([
    { id: id - 1, state: 'ready', tasks: 1 },
    { id, state: 'ready', tasks: many },
    { id: id + 1, state: 'dead', tasks: 2 },
  ]);
  await pool.query('truncate job, job_tag, task, history');
});

test('more tasks than a job may have are refused with the limit, and nothing is stored', async () => {
  const message = `A job has at most ${MAX_TASKS} tasks, this one would have ${MAX_TASKS + 1}: a task of Tiny has one item`;
  const details = { limit: MAX_TASKS, got: MAX_TASKS + 1 };
  const refusal = [{ message, extensions: { code: 413, reason: 'TOO_LARGE', details } }];
  expect((await execute('tiny', items(MAX_TASKS + 1))).errors).toMatchObject(refusal);
  expect(await count('job')).toBe(0);
});

test('the same holds for the jobs of one request together', async () => {
  const inputs = [MAX_TASKS, 1].map((size) => ({ name: 'tiny', data: items(size) }));
  expect((await ask(member, EXECUTE_JOBS, { inputs })).errors).toMatchObject([
    {
      message: `The jobs of one request have at most ${MAX_TASKS} tasks together, these would have ${MAX_TASKS + 1}`,
      extensions: { code: 413, reason: 'TOO_LARGE' },
    },
  ]);
  expect(await count('job')).toBe(0);
});
