import { expect, test } from 'vitest';
import { createFailingJobs, everyItem, noItem } from '../testing/failing-jobs.ts';
import { reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { runAll, accept, failed, list, redrive, retry, read } = createFailingJobs(jobs);
const { pool } = jobs.database;
const member = auth.user();
/** The job type's items per task. */
const PER_TASK = 2;

test('a filter that matches everything is refused, unless all is said', async () => {
  const user = auth.user();
  const id = await failed(user);
  for (const asked of [
    {},
    { filter: {} },
    { filter: { owner: user.id } },
    { filter: { type: [], job: [], error: '' } },
    { ids: null, dryRun: true },
  ]) {
    const { errors } = await redrive(user, asked);
    expect(errors?.[0]).toMatchObject({
      message: 'The filter matches every dead letter; say all: true if that is meant',
      extensions: { code: 400, reason: 'INVALID_INPUT' },
    });
  }
  expect(await read(id)).toMatchObject({ status: 'FAILED' });
  expect(reasonOf(await redrive(user, { all: true, filter: { allOwners: true } }))).toBe('FORBIDDEN');
  expect((await redrive(user, { all: true })).data.redriveDeadLetters).toMatchObject({
    matched: 1,
    redriven: 1,
    jobs: [id],
  });
  await runAll(noItem);
});

test.each<[string, object]>([
  ['no ids', { ids: [] }],
  ['1,001 ids', { ids: Array.from({ length: 1_001 }, (_, i) => `1/${i}`) }],
  ['ids beside a filter', { ids: ['1/0'], filter: { error: 'x' } }],
])('a redrive of %s is refused', async (_what, asked) => {
  expect((await redrive(member, asked)).errors?.[0]?.extensions).toMatchObject({
    code: 400,
    reason: 'INVALID_INPUT',
  });
});

test('with dryRun a redrive tells what would happen, and changes nothing at all', async () => {
  const user = auth.user();
  const id = await failed(user, 3);
  const dump = async () =>
    (
      await pool.query(
        `select (select jsonb_agg(t) from task t where job_id = $1) as tasks, (select to_jsonb(j) from job j where id = $1) as job,
           (select jsonb_agg(h) from history h where job_id = $1) as history`,
        [id],
      )
    ).rows[0];
  const before = await dump();
  const expected = { matched: 2, redriven: 2, items: 3, jobs: [id], refused: [], remaining: 0 };
  for (const asked of [{ ids: [`${id}/0`, `${id}/1`] }, { filter: { job: [id] } }, { all: true }]) {
    expect((await redrive(user, { ...asked, dryRun: true })).data.redriveDeadLetters).toEqual(expected);
    expect(await dump()).toEqual(before);
  }
  expect((await redrive(user, { filter: { job: [id] } })).data.redriveDeadLetters).toEqual(expected);
  expect(await read(id)).toEqual({ status: 'IN_PROGRESS', completed: 0, failed: 0, round: 2 });
  await runAll(noItem);
  expect(await read(id)).toEqual({ status: 'COMPLETED', completed: 3, failed: 0, round: 2 });
  expect(await list(user)).toEqual([]);
});

test('what cannot be run again is refused with a reason, one by one', async () => {
  const user = auth.user();
  const good = await failed(user);
  const done = await accept(user, 1);
  await runAll(noItem);
  const unique = await failed(user, 1, { uniqueFor: 'nightly' });
  const other = await accept(user, 1, { uniqueFor: 'nightly' });
  const { data } = await redrive(user, {
    ids: [`${good}/0`, `${good}/0`, `${good}/7`, `${done}/0`, `${unique}/0`, `${other}/0`],
  });
  expect(data.redriveDeadLetters).toEqual({
    matched: 5,
    redriven: 1,
    items: PER_TASK,
    jobs: [good],
    refused: [
      { id: `${good}/7`, reason: 'NOT_DEAD', message: 'It is no dead letter (any more)' },
      { id: `${done}/0`, reason: 'NOT_DEAD', message: 'It is no dead letter (any more)' },
      {
        id: `${unique}/0`,
        reason: 'UNIQUE_CONFLICT',
        message: 'An unfinished job is unique for the same; wait until it has ended',
      },
      { id: `${other}/0`, reason: 'NOT_DEAD', message: 'It is no dead letter (any more)' },
    ],
    remaining: 0,
  });
  expect((await retry(user, unique)).errors?.[0]).toMatchObject({
    message: `Job with ID ${unique} can't be retried: an unfinished job is unique for the same; wait until it has ended`,
    extensions: { code: 409, reason: 'NOT_RETRYABLE' },
  });
  await runAll(noItem);
});

test('a filter goes on after the last job of the answer before, so that what dies again is not run for ever', async () => {
  const user = auth.user();
  const [first, second] = [await failed(user, 1), await failed(user, 1)];
  const request = `mutation ($after: Float) {
    redriveDeadLetters(all: true, after: $after) { matched jobs remaining last }
  }`;
  const again = async (after?: number) => (await ask(user, request, { after })).data.redriveDeadLetters;
  expect(await again(first)).toEqual({ matched: 1, jobs: [second], remaining: 0, last: second });
  await runAll(everyItem);
  expect(await again(second)).toEqual({ matched: 0, jobs: [], remaining: 0, last: null });
  expect(await again()).toEqual({ matched: 2, jobs: [first, second], remaining: 0, last: second });
  await runAll(noItem);
  for (const after of [-1, 1.5, 1e308]) {
    expect(reasonOf(await ask(user, request, { after }))).toBe('INVALID_INPUT');
  }
  const named = 'mutation ($ids: [ID!]) { redriveDeadLetters(ids: $ids, after: 1) { matched } }';
  expect(reasonOf(await ask(user, named, { ids: [`${first}/0`] }))).toBe('INVALID_INPUT');
});

test('retryJob begins a new round of a failed job, and refuses every other', async () => {
  const user = auth.user();
  const id = await accept(user, 3);
  await runAll(({ firstItem }) => firstItem === 2);
  expect((await retry(user, id)).data.retryJob).toEqual({
    id,
    status: 'IN_PROGRESS',
    failed: 0,
    completed: 2,
    round: 2,
    endedAt: null,
  });
  const refusal = async () => (await retry(user, id)).errors?.[0];
  expect(await refusal()).toMatchObject({
    message: `Job with ID ${id} can't be retried: it is IN_PROGRESS; only a job that has FAILED can be`,
    extensions: { code: 409, reason: 'NOT_RETRYABLE', details: { status: 'IN_PROGRESS' } },
  });
  await runAll(noItem);
  expect(await read(id)).toEqual({ status: 'COMPLETED', completed: 3, failed: 0, round: 2 });
  expect(await refusal()).toMatchObject({ extensions: { details: { status: 'COMPLETED' } } });
  const cancelled = await accept(user, 1);
  await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id: cancelled });
  expect((await retry(user, cancelled)).errors?.[0]?.extensions.details).toEqual({ status: 'CANCELLED' });
  for (const wrong of [1.5, -1, 0, 1e308]) expect(reasonOf(await retry(user, wrong))).toBe('JOB_NOT_FOUND');
});

test('of ten retries at once one begins the round, and all answer with it', async () => {
  const user = auth.user();
  const id = await failed(user);
  const answers = await Promise.all(Array.from({ length: 10 }, () => retry(user, id)));
  for (const { data, errors } of answers) {
    if (errors) expect(errors[0]?.extensions.reason).toBe('NOT_RETRYABLE');
    else expect(data.retryJob).toMatchObject({ status: 'IN_PROGRESS', round: 2 });
  }
  expect(await read(id)).toMatchObject({ round: 2 });
  await runAll(noItem);
});
