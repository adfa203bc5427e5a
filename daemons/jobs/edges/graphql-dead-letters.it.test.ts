import { ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { expect, test } from 'vitest';
import { createFailingJobs, DEAD_LETTERS, everyItem, noItem } from '../testing/failing-jobs.ts';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { formWith, reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { runAll, accept, failed, list, show, redrive, retry, read } = createFailingJobs(jobs);
const { pool } = jobs.database;
const member = auth.user();
/** The job type's items per task. */
const PER_TASK = 2;

test('a dead letter tells which items failed, why, with what input, and what happened before', async () => {
  const id = await accept(member, 3);
  await runAll(({ firstItem }, offset) => firstItem + offset === 1, 'InvalidRecord', 'Price is missing');
  const { data } = await show(
    member,
    `${id}/0`,
    `id job { id status } task name attempts round diedAt reason message failed
     errors { index reason message } input history { event attempt round task executor reason message }`,
  );
  expect(data.deadLetter).toEqual({
    id: `${id}/0`,
    job: { id, status: 'FAILED' },
    task: 0,
    name: 'Echo',
    attempts: 1,
    round: 1,
    diedAt: expect.stringMatching(/Z$/),
    reason: 'InvalidRecord',
    message: 'Price is missing',
    failed: 1,
    errors: [{ index: 1, reason: 'InvalidRecord', message: 'Price is missing' }],
    input: [{ index: 1, value: { text: '1', n: 1 } }],
    history: [
      {
        event: 'DIED',
        attempt: 1,
        round: 1,
        task: 0,
        executor: 'executor-1',
        reason: 'InvalidRecord',
        message: 'Price is missing',
      },
    ],
  });
});

test('the reason and the message of a dead letter are of one error: the last of an item that has failed', async () => {
  const id = await accept(member, 2);
  const client = jobs.client();
  const executor = startFakeExecutor(client);
  executor.grant(2);
  async function answer(statuses: readonly [offset: number, ItemStatus, message: string][]): Promise<void> {
    await expect.poll(() => executor.tasks.length).toBe(1);
    const outcomes = executor.tasks.splice(0).map((task) => ({
      ...success(task),
      items: statuses.map(([offset, status, message]) => {
        return { offset, status, resultJson: '', error: { reason: `Reason${offset}`, message } };
      }),
    }));
    await client.acknowledgeJob({ executorId: 'executor-1', outcomes });
  }
  await answer([
    [0, ItemStatus.FAILED, 'It is broken'],
    [1, ItemStatus.RETRY, 'Not yet'],
  ]);
  await answer([[1, ItemStatus.FAILED, 'Never']]);
  await executor.close();
  const { deadLetter } = (await show(member, `${id}/0`, 'reason message failed')).data;
  expect(deadLetter).toEqual({ reason: 'Reason1', message: 'Never', failed: 2 });
  expect(await list(member, { job: [id], error: 'never' })).toEqual([`${id}/0`]);
  expect(await list(member, { job: [id], error: 'broken' })).toEqual([]);
});

test.each([
  ['a JSON array', 'items.json', '[{"text":"a","n":1.50},{"text":"b"},{"text":"c"}]', { text: 'a', n: 1.5 }],
  ['NDJSON', 'items.ndjson', '{"text":"a","n":1.50}\n{"text":"b"}\n\n{"text":"c"}\n', { text: 'a', n: 1.5 }],
  [
    'CSV',
    'items.csv',
    'text,n\r\n"a, ""quoted""",1.50\r\nb,2\r\nc,3\r\n',
    { text: 'a, "quoted"', n: '1.50' },
  ],
])('the input of items from an upload of %s is read from the file', async (_what, name, content, first) => {
  const user = auth.user();
  const { filename } = (await (await jobs.upload(user, formWith(content, name))).json()) as {
    filename: string;
  };
  const answer = await ask(
    user,
    'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id } }',
    { input: { name: 'echo', data: { fileName: filename } } },
  );
  const { id } = answer.data.executeJob;
  await runAll(everyItem);
  const { input } = (await show(user, `${id}/0`, 'input')).data.deadLetter;
  expect(input).toEqual([
    { index: 0, value: first },
    { index: 1, value: expect.objectContaining({ text: 'b' }) },
    { index: 2, value: expect.objectContaining({ text: 'c' }) },
  ]);
  expect((await show(user, `${id}/0`, 'input(limit: 1)')).data.deadLetter.input).toHaveLength(1);

  // When the file is no longer kept, the input is gone, and so is the way to run it again.
  await pool.query('update upload set removed_at = now() where name = $1', [filename]);
  expect((await show(user, `${id}/0`, 'input')).data.deadLetter.input).toBeNull();
  const { data } = await redrive(user, { ids: [`${id}/0`] });
  expect(data.redriveDeadLetters).toMatchObject({ redriven: 0, refused: [{ reason: 'INPUT_GONE' }] });
  expect((await redrive(user, { filter: {}, all: true })).data.redriveDeadLetters.matched).toBe(0);
  expect((await retry(user, id)).errors?.[0]?.message).toBe(
    `Job with ID ${id} can't be retried: the file that its items are in is no longer kept`,
  );
});

test('dead letters are listed, those that died last first, in pages that neither repeat nor leave out', async () => {
  const user = auth.user();
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const id = await failed(user, 2 * PER_TASK);
    ids.push(`${id}/1`, `${id}/0`);
  }
  const all = (await list(user)) as string[];
  expect(all.toSorted()).toEqual(ids.toSorted());
  const pages: string[] = [];
  for (let page = (await list(user, {}, { limit: 2 })) as string[]; page.length > 0; ) {
    expect(page.length).toBeLessThanOrEqual(2);
    pages.push(...page);
    page = (await list(user, {}, { limit: 2, before: page.at(-1) })) as string[];
  }
  expect(pages).toEqual(all);
});

test("a page after another user's dead letter is refused as one after none", async () => {
  const id = `${await failed(auth.user(), 1)}/0`;
  const message = async (before: string) =>
    (await ask(auth.user(), DEAD_LETTERS, { before })).errors?.[0]?.message.replace(before, 'ID');
  expect(await message(id)).toBe(await message('999999/0'));
  const operator = auth.user('operator');
  expect((await ask(operator, DEAD_LETTERS, { before: id })).data.deadLetters).toEqual([]);
});

test('dead letters are filtered by type, job, time, error and owner', async () => {
  const user = auth.user();
  const first = await accept(user, 1);
  await runAll(everyItem, 'Timeout', 'It took TOO long: 100%_');
  const second = await failed(user, 1);
  const died = (await show(user, `${second}/0`, 'diedAt')).data.deadLetter.diedAt;
  expect(await list(user)).toEqual([`${second}/0`, `${first}/0`]);
  expect(await list(user, { error: 'too LONG' })).toEqual([`${first}/0`]);
  expect(await list(user, { error: '%' })).toEqual([`${first}/0`]);
  expect(await list(user, { error: '.*' })).toEqual([]);
  expect(await list(user, { error: "' or 1=1 --" })).toEqual([]);
  expect(await list(user, { job: [second, 999_999] })).toEqual([`${second}/0`]);
  expect(await list(user, { type: ['ECHO'] })).toHaveLength(2);
  expect(await list(user, { type: ['nothing'] })).toBe('JOB_TYPE_NOT_FOUND');
  expect(await list(user, { diedBefore: died })).toEqual([`${first}/0`]);
  expect(await list(user, { diedAfter: new Date(Date.parse(died) + 1).toISOString() })).toEqual([]);
  expect(
    await list(user, { diedAfter: '0000-01-01T00:00:00Z', diedBefore: '9999-12-31T00:00:00Z' }),
  ).toHaveLength(2);
  expect(await list(user, { owner: user.id })).toHaveLength(2);
  expect(await list(user, { owner: member.id })).toBe('FORBIDDEN');
  expect(await list(user, { allOwners: true })).toBe('FORBIDDEN');
  expect(await list(auth.user('operator'))).toEqual([]);
  expect(await list(auth.user('operator'), { owner: user.id })).toHaveLength(2);
  expect(((await list(auth.user('admin'), { allOwners: true })) as string[]).length).toBeGreaterThan(2);
  expect(await list(user, { type: null, job: null, error: null, owner: null })).toHaveLength(2);
});

test.each<[string, object, object]>([
  ['a limit of nothing', {}, { limit: 0 }],
  ['a limit of 201', {}, { limit: 201 }],
  ['a page after what is no dead letter', {}, { before: '999999/0' }],
  ['a page after nonsense', {}, { before: '12' }],
  ['the job 1.5', { job: [1.5] }, {}],
  ['the job -1', { job: [-1] }, {}],
  ['the job 1e308', { job: [1e308] }, {}],
  ['1,001 jobs', { job: Array.from({ length: 1_001 }, (_, i) => i + 1) }, {}],
  ['an error text of 501 characters', { error: 'x'.repeat(501) }, {}],
  ['an owner that is none', { owner: "x' or 1=1" }, {}],
])('%s is refused in one line', async (_what, filter, page) => {
  const { errors } = await ask(auth.user('operator'), DEAD_LETTERS, { filter, ...page });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 400, reason: 'INVALID_INPUT' });
  expect(errors?.[0]?.message).toMatch(/^\P{Cc}{1,300}$/u);
});

test.each([
  '12/3/4',
  '12/-1',
  '1e30/1',
  '12',
  '',
  '/',
  '12/',
  '/3',
  '0/1',
  '-1/0',
  '1.5/0',
  '12/3 ',
  '١٢/٣',
  'NaN/0',
  '12/2147483648',
  '9999999999999999/0',
  '\u001b[31m/0',
  `${'9'.repeat(100_000)}/0`,
])('%j is no id of a dead letter', async (id) => {
  for (const answer of [await show(member, id), await redrive(member, { ids: [id] })]) {
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 400, reason: 'INVALID_INPUT' });
    expect(answer.errors?.[0]?.message).toMatch(
      /^A dead letter is named by .*, such as 12\/3; got \P{Cc}{1,60}$/u,
    );
  }
});

test("a stranger's dead letter answers exactly as a missing one", async () => {
  const id = await failed(member);
  const stranger = auth.user();
  for (const attempt of [
    (of: number) => show(stranger, `${of}/0`),
    (of: number) => redrive(stranger, { ids: [`${of}/0`] }),
    (of: number) => redrive(stranger, { ids: [`${of}/0`], dryRun: true }),
    (of: number) => retry(stranger, of),
  ]) {
    const theirs = JSON.stringify(await attempt(id));
    expect(theirs.replaceAll(String(id), 'N')).toBe(
      JSON.stringify(await attempt(99_999_999)).replaceAll('99999999', 'N'),
    );
    expect(theirs).toContain('"code":404');
  }
  expect(await list(stranger, { job: [id] })).toEqual([]);
  expect((await redrive(stranger, { filter: { job: [id] } })).data.redriveDeadLetters.matched).toBe(0);
  expect(await read(id)).toMatchObject({ status: 'FAILED', round: 1 });
});

test('who may look need not be who may run again', async () => {
  const viewer = auth.user('viewer');
  const id = await failed(member);
  await pool.query('update job set owner_id = $2 where id = $1', [id, viewer.id]);
  await pool.query('update task set owner_id = $2 where job_id = $1', [id, viewer.id]);
  expect(await list(viewer)).toEqual([`${id}/0`]);
  expect((await show(viewer, `${id}/0`)).data.deadLetter.id).toBe(`${id}/0`);
  for (const refused of [
    await redrive(viewer, { ids: [`${id}/0`] }),
    await redrive(viewer, { ids: [`${id}/0`], dryRun: true }),
    await redrive(viewer, { filter: { job: [id] } }),
    await retry(viewer, id),
  ]) {
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'FORBIDDEN' });
  }
  for (const nobody of [await show(undefined, `${id}/0`), await ask(undefined, '{ deadLetters { id } }')]) {
    expect(reasonOf(nobody)).toBe('UNAUTHENTICATED');
  }
  expect(await read(id)).toMatchObject({ status: 'FAILED', round: 1 });
  const operator = auth.user('operator');
  expect((await redrive(operator, { ids: [`${id}/0`] })).data.redriveDeadLetters).toMatchObject({
    redriven: 1,
  });
  await runAll(everyItem);
  expect((await retry(auth.user('admin'), id)).data.retryJob).toMatchObject({
    status: 'IN_PROGRESS',
    round: 3,
  });
  await runAll(noItem);
});

test('an answer that would be larger than the memory allows is refused: histories, errors and inputs together', async () => {
  const user = auth.user();
  const id = await failed(user, 1);
  await pool.query(
    `insert into history (job_id, seq, round, event, message)
     select $1, 0, 1, 'retried', repeat('x', 18000) from generate_series(1, 900)`,
    [id],
  );
  const fits = await show(user, `${id}/0`, 'history(limit: 900) { message }');
  expect(fits.data.deadLetter.history).toHaveLength(900);
  const { data, errors } = await show(
    user,
    `${id}/0`,
    'a: history(limit: 900) { message } job { history(limit: 900) { message } }',
  );
  expect(data).toBeNull();
  expect(errors?.[0]).toMatchObject({
    message: 'The answer would be larger than 16777216 bytes; ask for less at once',
    extensions: { code: 413, reason: 'TOO_LARGE' },
  });
});
