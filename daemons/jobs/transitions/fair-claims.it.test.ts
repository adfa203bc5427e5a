import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { type NewJobAsked, newJob, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { acceptJobs } from './accept-jobs.ts';
import { FIRST_OWNER } from './choose-fairly.ts';
import type { Claim } from './claim-tasks.ts';

const { pool } = await openTestDatabase();
const [ADA, BOB, EVE] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
];

beforeEach(async () => {
  await pool.query('truncate job, job_tag, task, history restart identity');
});

async function accept(...asked: Partial<NewJobAsked>[]): Promise<void> {
  const jobs = asked.map((one) => newJob({ tasks: 1, itemsPerTask: 1, ...one }));
  await acceptJobs(pool, jobs, TEST_LEASES);
}

const claim = (limit: number, more: Partial<Claim> = {}) => claimTestTasks(pool, { limit, ...more });

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

test('where there are more owners than places they take turns, wherever their ids are', async () => {
  const owners = [...Array.from({ length: 5 }, () => randomUUID()), ADA, BOB, EVE].sort();
  await accept(...owners.map((ownerId) => ({ ownerId, tasks: 50 })));
  const got: Record<string, number> = {};
  let afterOwner = FIRST_OWNER;
  for (let turn = 0; turn < 16; turn += 1) {
    const { tasks, more, lastOwner } = await claim(3, { afterOwner });
    expect({ tasks: tasks.length, more }).toEqual({ tasks: 3, more: true });
    for (const [owner, count] of Object.entries(countByOwner(tasks))) got[owner] = (got[owner] ?? 0) + count;
    afterOwner = lastOwner;
  }
  expect(got).toEqual(Object.fromEntries(owners.map((owner) => [owner, 6])));
});

test('what can not be shared alike goes to another owner each time', async () => {
  await accept(...[ADA, BOB, EVE].map((ownerId) => ({ ownerId, tasks: 50 })));
  const got: Record<string, number> = {};
  let afterOwner = FIRST_OWNER;
  for (let turn = 0; turn < 3; turn += 1) {
    const { tasks, lastOwner } = await claim(4, { afterOwner });
    for (const [owner, count] of Object.entries(countByOwner(tasks))) got[owner] = (got[owner] ?? 0) + count;
    afterOwner = lastOwner;
  }
  expect(got).toEqual({ [ADA]: 4, [BOB]: 4, [EVE]: 4 });
});

test('a claim tells when it has left tasks that others left room for', async () => {
  await accept({ ownerId: ADA, tasks: 10 }, { ownerId: BOB, tasks: 1 });
  const first = await claim(8);
  expect([countByOwner(first.tasks), first.more]).toEqual([{ [ADA]: 4, [BOB]: 1 }, true]);
  const second = await claim(8);
  expect([countByOwner(second.tasks), second.more]).toEqual([{ [ADA]: 6 }, false]);
  expect(await claim(8)).toEqual({ tasks: [], more: false, lastOwner: FIRST_OWNER });
});

test("no type of an owner's stands in front of another, whatever their order", async () => {
  await accept({ ownerId: ADA, tasks: 500 });
  await pool.query(
    `with other as (insert into job (owner_id, type, status, size) values ($1, 'rare', 'IN_PROGRESS', 1) returning id)
     insert into task (job_id, seq, type, owner_id, first_item, item_count, items)
     select id, 0, 'rare', $1, 0, 1, '[{}]' from other`,
    [ADA],
  );
  let claims = 0;
  for (let found = false; !found; claims += 1) {
    const { tasks } = await claim(1, { types: ['echo', 'rare'] });
    found = tasks.some(({ type }) => type === 'rare');
  }
  // Each claim takes the one or the other: 100 in a row are as likely as 100 tosses of a coin.
  expect(claims).toBeLessThan(100);
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

test("who has as many running tasks as allowed stands in nobody's way", async () => {
  await accept({ ownerId: ADA, tasks: 10 }, { ownerId: BOB, tasks: 10 }, { ownerId: EVE, tasks: 10 });
  for (const owner of [ADA, BOB, EVE]) {
    const { tasks } = await claim(1, { maxRunningPerOwner: 1 });
    expect(countByOwner(tasks)).toEqual({ [owner]: 1 });
  }
  expect((await claim(1, { maxRunningPerOwner: 1 })).tasks).toEqual([]);
});

test('the limit of an owner holds for tasks of several types together', async () => {
  await accept({ ownerId: ADA, tasks: 20 });
  await pool.query(`update task set type = case when seq < 10 then 'echo' else 'other' end`);
  const asked = { types: ['echo', 'other'], maxRunningPerOwner: 3 };
  expect((await claim(20, asked)).tasks).toHaveLength(3);
  expect((await claim(20, asked)).tasks).toEqual([]);
});

test('the plan of a claim is kept, with and without a limit of an owner: to plan it takes as long as to claim', async () => {
  const client = await pool.connect();
  try {
    await accept({ ownerId: ADA, tasks: 100 }, { ownerId: BOB, tasks: 100 });
    for (let n = 0; n < 8; n += 1) {
      for (const order of ['oldest', 'widest'] as const) {
        for (const maxRunningPerOwner of [null, 1_000]) {
          await claimTestTasks(client, { limit: 2, order, maxRunningPerOwner });
        }
      }
    }
    // PostgreSQL plans a statement five times before it thinks of keeping a plan.
    const { rows } = await client.query<{ kept: boolean }>(
      `select generic_plans > 0 as kept from pg_prepared_statements where name like 'claim-tasks-%'`,
    );
    expect(rows).toEqual(Array(4).fill({ kept: true }));
  } finally {
    client.release();
  }
});
