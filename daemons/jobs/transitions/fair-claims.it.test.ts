import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { type NewJobAsked, newJob, openTestDatabase } from '../testing/open-test-database.ts';
import { acceptJobs } from './accept-jobs.ts';
import { type Claim, claimTasks, FIRST_OWNER } from './claim-tasks.ts';

const { pool } = await openTestDatabase();
const [ADA, BOB, EVE] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
];

beforeEach(async () => {
  await pool.query('truncate job, task, history restart identity');
});

async function accept(...asked: Partial<NewJobAsked>[]): Promise<void> {
  const jobs = asked.map((one) => newJob({ tasks: 1, itemsPerTask: 1, ...one }));
  await acceptJobs(pool, jobs, 60_000);
}

async function claim(limit: number, more: Partial<Claim> = {}) {
  return await claimTasks(pool, {
    types: ['echo'],
    limit,
    order: 'oldest',
    executorId: 'executor-1',
    leaseMs: 60_000,
    afterOwner: FIRST_OWNER,
    maxRunningPerOwner: null,
    ...more,
  });
}

function countByOwner(tasks: readonly { ownerId: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { ownerId } of tasks) counts[ownerId] = (counts[ownerId] ?? 0) + 1;
  return counts;
}

test('owners share a claim alike, however many tasks one of them has', async () => {
  await accept({ ownerId: ADA, tasks: 500 }, { ownerId: BOB, tasks: 3 }, { ownerId: EVE });
  const { tasks } = await claim(9);
  expect(countByOwner(tasks)).toEqual({ [ADA]: 3, [BOB]: 3, [EVE]: 1 });
  expect(countByOwner((await claim(9)).tasks)).toEqual({ [ADA]: 9 });
});

test('among the jobs of one owner the urgent come first, also before older ones', async () => {
  await accept(
    { ownerId: ADA, tasks: 2, options: { priority: -5 } },
    { ownerId: ADA, tasks: 2 },
    { ownerId: ADA, tasks: 2, options: { priority: 100 } },
  );
  const { tasks } = await claim(5);
  expect(tasks.map(({ jobId, seq }) => `${jobId}/${seq}`).sort()).toEqual([
    '1/0',
    '2/0',
    '2/1',
    '3/0',
    '3/1',
  ]);
});

test('by turns the first task of every job comes first: a small job need not wait for all of a giant one', async () => {
  await accept({ ownerId: ADA, tasks: 1_000 }, { ownerId: ADA }, { ownerId: ADA });
  const { tasks } = await claim(3, { order: 'widest' });
  expect(tasks.map(({ jobId, seq }) => `${jobId}/${seq}`).sort()).toEqual(['1/0', '2/0', '3/0']);
});

test('where there are more owners than places, a claim can begin behind those who had their turn', async () => {
  const owners = Array.from({ length: 20 }, () => randomUUID()).sort();
  await accept(...owners.map((ownerId) => ({ ownerId, tasks: 5 })));
  const first = await claim(4);
  expect(first.crowded).toBe(true);
  expect(Object.keys(countByOwner(first.tasks)).sort()).toEqual(owners.slice(0, 4));
  const next = await claim(4, { afterOwner: owners[9] as string });
  expect(Object.keys(countByOwner(next.tasks)).sort()).toEqual(owners.slice(10, 14));
  const last = await claim(4, { afterOwner: owners[18] as string });
  expect(last.crowded).toBe(false);
  expect(countByOwner(last.tasks)).toEqual({ [owners[19] as string]: 4 });
});

test('an owner does not get more running tasks than the limit allows', async () => {
  await accept({ ownerId: ADA, tasks: 10 }, { ownerId: BOB, tasks: 1 });
  expect(countByOwner((await claim(20, { maxRunningPerOwner: 3 })).tasks)).toEqual({ [ADA]: 3, [BOB]: 1 });
  expect((await claim(20, { maxRunningPerOwner: 3 })).tasks).toEqual([]);
  await pool.query(
    `update task set state = 'succeeded', lease_until = null where owner_id = $1 and state = 'running' and seq = 0`,
    [ADA],
  );
  expect(countByOwner((await claim(20, { maxRunningPerOwner: 3 })).tasks)).toEqual({ [ADA]: 1 });
});
