import { beforeEach, expect, test } from 'vitest';
import { inTransaction } from '../in-transaction.ts';
import { newJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { acceptJobs, type NewJob } from './accept-jobs.ts';
import { redriveTasks } from './redrive-tasks.ts';
import { TASKS_PER_STATEMENT } from './tasks-per-statement.ts';

const { pool } = await openTestDatabase();
/** The last one goes into a third statement. */
const MANY = 2 * TASKS_PER_STATEMENT + 1;

beforeEach(async () => {
  await pool.query('truncate job, job_tag, task, history, upload restart identity');
});

const accept = (jobs: readonly NewJob[]) =>
  inTransaction(pool, (client) => acceptJobs(client, jobs, TEST_LEASES));

async function tasksOf(id: number) {
  const { rows } = await pool.query(
    `select count(*)::int as tasks, count(distinct seq)::int as different, min(seq) as first, max(seq) as last,
       sum(first_item - seq)::int as shifted, array_agg(distinct state) as states, array_agg(distinct type) as types,
       array_agg(distinct owner_id) as owners, array_agg(distinct priority) as priorities
     from task where job_id = $1`,
    [id],
  );
  return rows[0];
}

const ALL = { tasks: MANY, different: MANY, first: 0, last: MANY - 1, shifted: 0 };
const OURS = { types: ['echo'], owners: [OWNER] };

test('jobs of more tasks than one statement writes have all of them', async () => {
  const small = newJob({ tasks: 3, itemsPerTask: 1 });
  const large = newJob({ tasks: MANY, itemsPerTask: 1, options: { priority: 7 } });
  const acceptances = await accept([small, large, small]);
  expect(acceptances).toMatchObject([
    { outcome: 'accepted', id: 1 },
    { outcome: 'accepted', id: 2, status: 'IN_PROGRESS' },
    { outcome: 'existing' },
  ]);
  expect(await tasksOf(2)).toEqual({ ...ALL, ...OURS, states: ['ready'], priorities: [7] });
  expect(await tasksOf(1)).toMatchObject({ tasks: 3, last: 2 });
  // Of a job that was there already nothing is written, whichever statement its tasks would be in.
  expect(await accept([large])).toEqual([{ outcome: 'existing' }]);
  expect(await tasksOf(2)).toMatchObject({ tasks: MANY });
});

test('all tasks of a large job that is scheduled wait for its time', async () => {
  const runAt = new Date(Date.now() + 3_600_000);
  await accept([newJob({ tasks: MANY, itemsPerTask: 1, options: { runAt } })]);
  expect(await tasksOf(1)).toEqual({ ...ALL, ...OURS, states: ['waiting'], priorities: [0] });
  const { rows } = await pool.query(
    "select distinct date_part('epoch', available_at) * 1000 as at from task",
  );
  expect(rows).toEqual([{ at: runAt.getTime() }]);
});

test('a new round of a large job is one round, also when only one job may be unfinished', async () => {
  await accept([newJob({ tasks: MANY, itemsPerTask: 1, options: { uniqueFor: 'it' } })]);
  await pool.query(`update task set state = 'dead', attempt = 1, died_at = now(),
    decided = '[[0, 0, {"reason": "Broken", "message": "it is broken"}]]'`);
  await pool.query(`update job set status = 'FAILED', failed = size, ended_at = now()`);
  const tasks = Array.from({ length: MANY }, (_, seq) => ({ jobId: 1, seq }));

  const { tasks: redriven, jobs } = await inTransaction(pool, (client) => redriveTasks(client, tasks, OWNER));
  expect(jobs).toMatchObject([{ id: 1, status: 'IN_PROGRESS', failed: 0, round: 2 }]);
  expect(redriven.map(({ seq }) => seq)).toEqual(tasks.map(({ seq }) => seq));
  expect(new Set(redriven.map(({ refusal, items }) => `${refusal} ${items}`))).toEqual(new Set(['null 1']));
  expect(await tasksOf(1)).toMatchObject({ tasks: MANY, states: ['ready'] });
  const { rows } = await pool.query('select round, count(*)::int as told from history group by round');
  expect(rows).toEqual([{ round: 2, told: MANY }]);
});
