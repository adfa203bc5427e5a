import { expect, test } from 'vitest';
import { type Answer, formWith, reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { pool } = jobs.database;
const member = auth.user();

interface Told {
  readonly id: number;
  readonly size: number;
  readonly status: string;
  readonly existing: boolean;
}

const execute = (inputs: unknown, user: typeof member | undefined = member) =>
  ask(
    user,
    `mutation ($inputs: [ExecuteJobInput!]!) {
       executeJobs(executeJobsInput: $inputs) { id size status existing tags }
     }`,
    { inputs },
  );

const echo = (text: unknown, others: object = {}) => ({ name: 'echo', data: { text }, ...others });
function toldOf({ data, errors }: Answer): Told[] {
  if (errors) throw new Error(errors[0]?.message);
  return data.executeJobs;
}

async function countRows() {
  const { rows } = await pool.query(
    'select (select count(*) from job)::int as jobs, (select count(*) from task)::int as tasks',
  );
  return rows[0];
}

test('1,000 jobs are accepted in one request, and answered in the order of the request', async () => {
  const inputs = Array.from({ length: 1_000 }, (_, i) => ({
    name: i % 2 ? 'ECHO' : 'echo',
    data: Array.from({ length: 1 + (i % 3) }, () => ({ text: `${i}` })),
    tags: [`number ${i}`],
  }));
  const told = toldOf(await execute(inputs));
  expect(told.map(({ size, status, existing }) => [size, status, existing])).toEqual(
    inputs.map(({ data }) => [data.length, 'IN_PROGRESS', false]),
  );
  const { rows } = await pool.query('select id, tags from job order by id');
  expect(rows.map(({ id, tags }) => [Number(id), tags])).toEqual(
    told.map(({ id }, i) => [id, [`number ${i}`]]),
  );
});

test.each([
  ['none', []],
  ['1,001 jobs', Array.from({ length: 1_001 }, () => echo('a'))],
  ['null', null],
  ['a null among them', [echo('a'), null]],
])('%s are refused, and nothing is stored', async (_what, inputs) => {
  const before = await countRows();
  const { errors } = await execute(inputs);
  expect(errors?.[0]?.extensions.code).toBe(400);
  expect(await countRows()).toEqual(before);
});

test('one bad job among 1,000 refuses them all', async () => {
  const before = await countRows();
  const inputs = Array.from({ length: 1_000 }, (_, i) => echo(i === 617 ? 5 : 'a'));
  const { errors } = await execute(inputs);
  expect(errors?.[0]).toMatchObject({
    message: 'Job 617: Item 0, text: expected text, got 5.',
    extensions: { code: 400, reason: 'INVALID_DATA', details: { total: 1, jobs: [{ index: 617 }] } },
  });
  expect(await countRows()).toEqual(before);
});

test('all bad jobs are named with what is wrong in each, the first 20 in full', async () => {
  const before = await countRows();
  const bad = [
    { name: 'nothing', data: {} },
    echo('a', { priority: 1_000 }),
    echo(1),
    echo('a', { idempotencyKey: '' }),
    { name: 'echo', data: { fileName: 'none.json' } },
    ...Array.from({ length: 30 }, () => echo('a', { tags: [''] })),
  ];
  const { errors } = await execute(bad.flatMap((job) => [echo('fine'), job]));
  const { details, reason } = errors?.[0]?.extensions ?? {};
  expect(reason).toBe('JOB_TYPE_NOT_FOUND');
  expect(errors?.[0]?.message).toBe('Job 1: Job not found: nothing And 34 more of the jobs.');
  expect(details.total).toBe(35);
  expect(details.jobs).toHaveLength(20);
  expect(
    details.jobs.slice(0, 6).map((job: { index: number; reason: string }) => [job.index, job.reason]),
  ).toEqual([
    [1, 'JOB_TYPE_NOT_FOUND'],
    [3, 'INVALID_INPUT'],
    [5, 'INVALID_DATA'],
    [7, 'INVALID_INPUT'],
    [9, 'FILE_UNREADABLE'],
    [11, 'INVALID_INPUT'],
  ]);
  expect(await countRows()).toEqual(before);
});

test('the same idempotency key twice in one request is one job, unless the input differs', async () => {
  const user = auth.user();
  const same = echo('a', { idempotencyKey: 'twice' });
  const told = toldOf(await execute([same, echo('b'), same], user));
  expect(told[2]?.id).toBe(told[0]?.id);
  expect(told.map(({ existing }) => existing)).toEqual([false, false, true]);

  const before = await countRows();
  const conflict = await execute(
    [echo('c'), echo('d', { idempotencyKey: 'differs' }), echo('e', { idempotencyKey: 'differs' })],
    user,
  );
  expect(conflict.errors?.[0]?.extensions).toMatchObject({
    code: 409,
    reason: 'IDEMPOTENCY_CONFLICT',
    details: { jobs: [{ index: 2 }], total: 1 },
  });
  const used = await execute([echo('c'), echo('other', { idempotencyKey: 'twice' })], user);
  expect(used.errors?.[0]?.extensions.details.jobs).toMatchObject([
    { index: 1, reason: 'IDEMPOTENCY_CONFLICT', details: { jobId: told[0]?.id } },
  ]);
  expect(await countRows()).toEqual(before);
});

test('a request that is sent again returns the same jobs, also while the first is under way', async () => {
  const user = auth.user();
  const inputs = Array.from({ length: 200 }, (_, i) => echo('a', { idempotencyKey: `again ${i}` }));
  const answers = await Promise.all([
    execute(inputs, user),
    execute(inputs.toReversed(), user),
    execute(inputs, user),
  ]);
  const [first, reversed, again] = answers.map((answer) => toldOf(answer).map(({ id }) => id));
  expect(new Set(first).size).toBe(200);
  expect(reversed?.toReversed()).toEqual(first);
  expect(again).toEqual(first);
  const made = answers.flatMap(toldOf).filter(({ existing }) => !existing);
  expect(made).toHaveLength(200);
});

test('jobs of one request that are unique for the same are one', async () => {
  const user = auth.user();
  const told = toldOf(
    await execute(
      [1, 2, 3].map((n) => echo(`${n}`, { uniqueFor: 'one' })),
      user,
    ),
  );
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
  expect(told.map(({ existing }) => existing)).toEqual([false, true, true]);
});

test("jobs over uploads are accepted, and none of them when one of the files is gone or another user's", async () => {
  const upload = async (content: string, user = member) => {
    const response = await jobs.upload(user, formWith(content));
    return ((await response.json()) as { filename: string }).filename;
  };
  const over = (fileName: string) => ({ name: 'echo', data: { fileName } });
  const good = await upload('[{"text":"a"},{"text":"b"}]');
  const theirs = await upload('[{"text":"a"}]', auth.user());
  const told = toldOf(await execute([over(good), echo('b'), over(good)]));
  expect(told.map(({ size }) => size)).toEqual([2, 1, 2]);

  const before = await countRows();
  const refused = await execute([echo('a'), over(theirs), over('missing.json')]);
  expect(refused.errors?.[0]?.extensions.details).toMatchObject({
    total: 2,
    jobs: [
      { index: 1, message: `Error reading file: ${theirs}` },
      { index: 2, message: 'Error reading file: missing.json' },
    ],
  });
  const bad = await upload('[{"text":"a"},{"text":7}]');
  const answer = await execute([echo('a'), over(bad)]);
  expect(answer.errors?.[0]?.message).toMatch(/^Job 1: .*text: expected text, got 7/);
  expect(await countRows()).toEqual(before);
});

test('nobody and a viewer may not submit', async () => {
  expect(reasonOf(await ask(undefined, 'mutation { executeJobs(executeJobsInput: []) { id } }'))).toBe(
    'UNAUTHENTICATED',
  );
  expect(reasonOf(await execute([echo('a')], auth.user('viewer')))).toBe('FORBIDDEN');
});
