import { expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { formWith, reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { pool } = jobs.database;
const member = auth.user();
const client = jobs.client();

const FIELDS = `id status runAt priority timeout maxAttempts backoff uniqueFor tags round existing startedAt`;
const execute = (options: object = {}, user = member, data: unknown = { text: 'a' }) =>
  ask(user, `mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { ${FIELDS} } }`, {
    input: { name: 'echo', data, ...options },
  });

async function countJobs(): Promise<number> {
  return (await pool.query('select count(*)::int as n from job')).rows[0].n;
}

const cancel = (id: number) =>
  ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id });

test('a job without options has those of its type, and begins at once', async () => {
  const { data } = await execute();
  expect(data.executeJob).toEqual({
    id: expect.any(Number),
    status: 'IN_PROGRESS',
    runAt: null,
    priority: 0,
    timeout: null,
    maxAttempts: null,
    backoff: null,
    uniqueFor: null,
    tags: [],
    round: 1,
    existing: false,
    startedAt: expect.any(String),
  });
});

test('options stand with the job, in the answer and whenever it is read', async () => {
  const options = {
    priority: -100,
    timeout: 604_800_000,
    maxAttempts: 100,
    backoff: 0,
    uniqueFor: 'x'.repeat(255),
    tags: ['nightly', 'Grüße 👋', 'nightly'],
  };
  const { data } = await execute(options);
  const stored = { ...options, tags: ['nightly', 'Grüße 👋'] };
  expect(data.executeJob).toMatchObject(stored);
  const read = await ask(member, `query ($id: Float!) { job(id: $id) { ${FIELDS} } }`, {
    id: data.executeJob.id,
  });
  expect(read.data.job).toMatchObject(stored);
});

test('null means the same as leaving an option out', async () => {
  const names = ['runAt', 'delay', 'priority', 'timeout', 'maxAttempts', 'backoff', 'uniqueFor', 'tags'];
  const { data } = await execute(Object.fromEntries(names.map((name) => [name, null])));
  expect(data.executeJob).toMatchObject({ status: 'IN_PROGRESS', priority: 0, tags: [], runAt: null });
});

test.each<[string, object]>([
  ['a priority above 100', { priority: 101 }],
  ['a priority below -100', { priority: -101 }],
  ['a priority that is absurd', { priority: 2_147_483_647 }],
  ['a priority of more than 32 bits', { priority: 1e12 }],
  ['a priority that is no whole number', { priority: 1.5 }],
  ['a priority in words', { priority: 'high' }],
  ['a run in the year 300000', { runAt: '+300000-01-01T00:00:00Z' }],
  ['a run in the year 9999', { runAt: '9999-12-31T23:59:59Z' }],
  ['a run in the year 0', { runAt: '0000-01-01T00:00:00Z' }],
  ['a run before the year 0', { runAt: '0000-01-01T00:00:00+23:59' }],
  ['a run on the 30th of February in words', { runAt: 'February 30th' }],
  ['a run without a time zone', { runAt: '2026-01-31T12:00:00' }],
  ['a run that is a number', { runAt: 1_800_000_000 }],
  ['a run that is not a number', { runAt: 'NaN' }],
  ['both a run time and a delay', { runAt: '2020-01-01T00:00:00Z', delay: 5 }],
  ['a delay of 1e308', { delay: 1e308 }],
  ['a delay below zero', { delay: -1 }],
  ['a delay of half a millisecond', { delay: 0.5 }],
  ['a delay of more than ten years', { delay: 3_654 * 86_400_000 }],
  ['a timeout of nothing', { timeout: 0 }],
  ['a timeout of more than a week', { timeout: 604_800_001 }],
  ['no attempts', { maxAttempts: 0 }],
  ['101 attempts', { maxAttempts: 101 }],
  ['a backoff below zero', { backoff: -1 }],
  ['a backoff of more than a day', { backoff: 86_400_001 }],
  ['an empty key of uniqueness', { uniqueFor: '' }],
  ['a key of uniqueness that is too long', { uniqueFor: 'x'.repeat(256) }],
  ['a key of uniqueness with a control character', { uniqueFor: 'a\u001b[31m' }],
  ['10,000 tags', { tags: Array.from({ length: 10_000 }, (_, i) => `tag ${i}`) }],
  ['21 tags', { tags: Array.from({ length: 21 }, (_, i) => `tag ${i}`) }],
  ['an empty tag', { tags: [''] }],
  ['a tag of blanks', { tags: ['a', ' \u3000'] }],
  ['a uniqueFor of blanks', { uniqueFor: ' ' }],
  ['an idempotencyKey of blanks', { idempotencyKey: '  ' }],
  ['a tag that is too long', { tags: ['x'.repeat(101)] }],
  ['a tag with a line break', { tags: ['a\nb'] }],
  ['a tag with a lone surrogate', { tags: ['\ud800'] }],
  ['a tag that is null', { tags: [null] }],
  ['a tag that is a number', { tags: [1] }],
  ['an option that there is not', { status: 'COMPLETED' }],
])('%s is refused in one harmless line, and nothing is stored', async (_what, options) => {
  const before = await countJobs();
  const { data, errors } = await execute(options);
  expect(data ?? null).toBeNull();
  expect(errors?.[0]?.extensions.code).toBe(400);
  expect(errors?.[0]?.message).toMatch(/^\P{Cc}{1,400}$/u);
  expect(await countJobs()).toBe(before);
});

test('a refusal says what was expected and what it got', async () => {
  const messageOf = async (options: object) => (await execute(options)).errors?.[0]?.message;
  expect(await messageOf({ priority: 1_000 })).toBe(
    'priority must be a whole number from -100 to 100, got 1000',
  );
  expect(await messageOf({ delay: 1e308 })).toBe(
    'delay must be a whole number from 0 to 315619200000, got 1e+308',
  );
  expect(await messageOf({ runAt: '9999-12-31T23:59:59Z' })).toBe(
    'runAt must be after 1970 and within the next 10 years, got 9999-12-31T23:59:59.000Z',
  );
  expect(await messageOf({ tags: ['a\nb'] })).toBe(
    'A tag must have 1 to 100 printable characters, not only blanks, got "a\ufffdb"',
  );
});

test('a delayed job is scheduled, and begins by itself when its time has come', async () => {
  const executor = startFakeExecutor(client);
  executor.grant(10);
  const { data } = await execute({ delay: 700 });
  const { id, status, runAt, startedAt } = data.executeJob;
  expect(status).toBe('SCHEDULED');
  expect(Date.parse(runAt) - Date.parse(startedAt)).toBe(700);
  const arrived = () => executor.tasks.find(({ ref }) => ref?.jobId === id);
  await expect.poll(arrived, { interval: 10 }).toBeDefined();
  expect(Date.now() - Date.parse(runAt)).toBeGreaterThanOrEqual(-50);
  await executor.close();
});

test('a job with a time that has passed begins at once', async () => {
  const { data } = await execute({ runAt: '2020-02-29T12:00:00+14:00' });
  expect(data.executeJob).toMatchObject({ status: 'IN_PROGRESS', runAt: '2020-02-28T22:00:00.000Z' });
});

test('a scheduled job can be listed, is cancelled at once, and is not run then', async () => {
  const user = auth.user();
  const { data } = await execute({ delay: 3_600_000, tags: ['later'] }, user);
  const { id } = data.executeJob;
  const list = await ask(user, '{ jobs(filter: { status: [SCHEDULED] }) { id } }');
  expect(list.data.jobs).toEqual([{ id }]);
  const answer = await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id });
  expect(answer.data.cancelJob.status).toBe('CANCELLED');
  const { rows } = await pool.query('select state from task where job_id = $1', [id]);
  expect(rows).toEqual([{ state: 'cancelled' }]);
});

test('an unfinished job that is unique for the same is returned, and after its end a new one is made', async () => {
  const user = auth.user();
  const first = (await execute({ uniqueFor: 'report' }, user)).data.executeJob;
  const again = await Promise.all([
    execute({ uniqueFor: 'report' }, user, { text: 'other input' }),
    execute({ uniqueFor: 'report', delay: 1_000 }, user),
  ]);
  for (const { data } of again) {
    expect(data.executeJob).toMatchObject({ id: first.id, existing: true, status: 'IN_PROGRESS' });
  }
  expect((await execute({ uniqueFor: 'report' })).data.executeJob.existing).toBe(false);
  await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id: first.id });
  const next = (await execute({ uniqueFor: 'report' }, user)).data.executeJob;
  expect(next.existing).toBe(false);
  expect(next.id).not.toBe(first.id);
});

test('a request that made no job because of another that is unique for the same does not use its key up', async () => {
  const user = auth.user();
  const standing = (await execute({ uniqueFor: 'report' }, user)).data.executeJob;
  const keyed = { uniqueFor: 'report', idempotencyKey: 'try' };
  expect((await execute(keyed, user)).data.executeJob).toMatchObject({ id: standing.id, existing: true });
  await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id: standing.id });
  const made = (await execute(keyed, user)).data.executeJob;
  expect(made).toMatchObject({ existing: false });
  await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id: made.id });
  expect((await execute(keyed, user)).data.executeJob).toMatchObject({ id: made.id, existing: true });
});

test('of 20 jobs at once that are unique for the same one is made', async () => {
  const user = auth.user();
  const answers = await Promise.all(Array.from({ length: 20 }, () => execute({ uniqueFor: 'once' }, user)));
  const made = answers.map(({ data }) => data.executeJob);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(made.filter(({ existing }) => !existing)).toHaveLength(1);
});

test('an idempotency key stands for the input: other options return the job as it is', async () => {
  const key = { idempotencyKey: 'options' };
  const first = (await execute({ ...key, priority: 5, tags: ['a'] })).data.executeJob;
  const again = (await execute({ ...key, delay: 60_000, tags: ['b'] })).data.executeJob;
  expect(again).toEqual({ ...first, existing: true });
  await cancel(first.id);
  expect((await execute(key)).data.executeJob).toMatchObject({
    id: first.id,
    existing: true,
    status: 'CANCELLED',
  });
  expect(reasonOf(await execute(key, member, { text: 'b' }))).toBe('IDEMPOTENCY_CONFLICT');
});

test("a job's own timeout travels with its tasks", async () => {
  const { data } = await execute({ timeout: 1_234 });
  const executor = startFakeExecutor(client);
  executor.grant(1_000);
  const arrived = () => executor.tasks.find(({ ref }) => ref?.jobId === data.executeJob.id);
  await expect.poll(arrived).toMatchObject({ timeoutMs: 1_234 });
  await executor.close();
});

test('of the waiting jobs of a user the urgent begin first', async () => {
  const user = auth.user();
  await pool.query(
    `update task set state = 'cancelled', lease_until = null where state in ('ready', 'running')`,
  );
  await pool.query(`update job set status = 'CANCELLED', ended_at = now() where ended_at is null`);
  const ids: number[] = [];
  for (const priority of [-1, 0, 100, 5]) ids.push((await execute({ priority }, user)).data.executeJob.id);
  const executor = startFakeExecutor(client);
  const order: (number | undefined)[] = [];
  for (let turn = 0; turn < ids.length; turn += 1) {
    executor.grant(1);
    await expect.poll(() => executor.tasks.length).toBe(1);
    const tasks = executor.tasks.splice(0);
    order.push(...tasks.map(({ ref }) => ref?.jobId));
    await client.acknowledgeJob({ executorId: 'executor-1', outcomes: tasks.map((task) => success(task)) });
  }
  await executor.close();
  expect(order).toEqual([ids[2], ids[3], ids[1], ids[0]]);
});

test('jobs are found by tags: all of them, and only by their owner', async () => {
  const user = auth.user();
  const both = (await execute({ tags: ['blue', 'green'] }, user)).data.executeJob.id;
  const one = (await execute({ tags: ['blue'] }, user)).data.executeJob.id;
  await execute({ tags: ['blue'] });
  const find = async (tags: unknown, who = user) => {
    const answer = await ask(who, 'query ($tags: [String!]) { jobs(filter: { tags: $tags }) { id } }', {
      tags,
    });
    return answer.errors ? reasonOf(answer) : answer.data.jobs.map(({ id }: { id: number }) => id);
  };
  expect(await find(['blue'])).toEqual([one, both]);
  expect(await find(['green', 'blue'])).toEqual([both]);
  expect(await find(['red'])).toEqual([]);
  expect(await find([])).toEqual([one, both]);
  expect(await find(["' or 1=1 --"])).toEqual([]);
  expect(await find(['a\nb'])).toBe('INVALID_INPUT');
  expect(await find(Array.from({ length: 10_000 }, () => 'x'))).toBe('INVALID_INPUT');
  expect(await find(['blue'], auth.user('operator'))).toEqual([]);
});

test('options hold for jobs over an upload, too', async () => {
  const response = await jobs.upload(member, formWith('[{"text":"a"},{"text":"b"},{"text":"c"}]'));
  const { filename } = (await response.json()) as { filename: string };
  const { data } = await execute({ delay: 60_000, uniqueFor: 'file', tags: ['file'] }, member, {
    fileName: filename,
  });
  expect(data.executeJob).toMatchObject({ status: 'SCHEDULED', tags: ['file'], uniqueFor: 'file' });
  expect((await execute({ uniqueFor: 'file' })).data.executeJob).toMatchObject({
    id: data.executeJob.id,
    existing: true,
  });
});
