import { ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { beforeAll, expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { bearer, EXECUTE, JOB, reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, accept, auth } = jobs;
const member = auth.user();
const client = jobs.client();

const execute = (data: unknown, others: object = {}, user = member) =>
  ask(user, EXECUTE, { input: { name: 'Echo', data, ...others } });

/** Sends the body as it is. */
async function send(body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${jobs.origin}/jobs/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(member), ...headers },
    body,
  });
  return { status: response.status, ...((await response.json()) as Awaited<ReturnType<typeof ask>>) };
}

async function countRows() {
  const { rows } = await jobs.database.pool.query(
    'select (select count(*) from job)::int as jobs, (select count(*) from task)::int as tasks',
  );
  return rows[0];
}

async function runAll(result: unknown = 'done'): Promise<void> {
  const executor = startFakeExecutor(client, { slugs: ['echo', 'add'] });
  executor.grant(1_000);
  const unfinished = async () =>
    (
      await jobs.database.pool.query(
        "select count(*)::int as n from task where state in ('ready', 'running')",
      )
    ).rows[0].n;
  while ((await unfinished()) > 0) {
    await expect.poll(() => executor.tasks.length).toBeGreaterThan(0);
    await client.acknowledgeJob({
      executorId: 'executor-1',
      outcomes: executor.tasks.splice(0).map((task) => success(task, result)),
    });
  }
  await executor.close();
}

beforeAll(async () => {
  await client.registerJobTypes({
    executorId: 'executor-1',
    types: [
      {
        name: 'Add',
        slug: 'add',
        version: 1,
        description: 'Adds.',
        inputSchemaJson: JSON.stringify({
          type: 'object',
          properties: { a: { type: 'integer', minimum: 0 }, b: { type: 'number' } },
          required: ['a', 'b'],
          additionalProperties: false,
        }),
        defaultItemJson: '{"a":1,"b":2}',
        itemsPerTask: 10,
        retry: { maxAttempts: 1, backoffMs: 0, maxBackoffMs: 0 },
        limits: { timeoutMs: 1_000, maxItems: 100 },
      },
    ],
  });
});

test('executeJob answers at once with the accepted job, and job tells what became of it', async () => {
  const { data } = await execute({ text: 'hello' });
  expect(data.executeJob).toEqual({
    id: expect.any(Number),
    name: 'Echo',
    size: 1,
    completed: 0,
    failed: 0,
    status: 'IN_PROGRESS',
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    endedAt: null,
    owner: member.id,
  });
  await runAll({ exact: 9007199254740991, text: 'ü' });
  const { data: after } = await ask(member, JOB, { id: data.executeJob.id });
  expect(after.job).toMatchObject({
    status: 'COMPLETED',
    completed: 1,
    result: { exact: 9007199254740991, text: 'ü' },
    endedAt: expect.any(String),
  });
});

test('data is one object or a list of objects, by name or slug in any case', async () => {
  for (const name of ['echo', 'ECHO', 'Echo']) {
    const { data } = await execute([{ text: 'a' }, { text: 'b' }, { text: 'c' }], { name });
    expect(data.executeJob).toMatchObject({ name: 'Echo', size: 3 });
  }
});

test('data may stand in the text of the query, with the same rules', async () => {
  const inline = (data: string) =>
    ask(member, `mutation { executeJob(executeJobInput: {name: "Echo", data: ${data}}) { size } }`);
  expect((await inline('[{text: "a"}, {text: "b"}]')).data.executeJob.size).toBe(2);
  for (const data of ['{text: "a", __proto__: {x: 1}}', '{text: "\\u0000"}', '{n: 9007199254740993}']) {
    const { errors, data: answer } = await inline(data);
    expect(answer).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe(400);
  }
});

test('items and errors are paged by index, counters are added up', async () => {
  const id = await accept(
    member,
    Array.from({ length: 5 }, (_, i) => ({ text: `${i}` })),
  );
  const executor = startFakeExecutor(client);
  executor.grant(10);
  await expect.poll(() => executor.tasks.filter(({ ref }) => ref?.jobId === id).length).toBe(3);
  const outcomes = executor.tasks.map((task) => {
    const outcome = { ...success(task, 'fine'), countersJson: '{"done":2}' };
    if (task.ref?.jobId !== id || task.firstItem !== 2) return outcome;
    const error = { reason: 'Broken', message: 'It\u0000 is broken' };
    return {
      ...outcome,
      items: [{ ...outcome.items[0]!, status: ItemStatus.FAILED, error }, outcome.items[1]!],
    };
  });
  await client.acknowledgeJob({ executorId: 'executor-1', outcomes });
  await executor.close();
  const { data } = await ask(
    member,
    `query ($id: Float!) { job(id: $id) {
      status completed failed counters errors { index reason message }
      items(limit: 2) { index status result error { reason } } rest: items(after: 1) { index status error { index } }
    } }`,
    { id },
  );
  expect(data.job).toEqual({
    status: 'FAILED',
    completed: 4,
    failed: 1,
    counters: { done: 6 },
    errors: [{ index: 2, reason: 'Broken', message: 'It\ufffd is broken' }],
    items: [
      { index: 0, status: 'SUCCEEDED', result: 'fine', error: null },
      { index: 1, status: 'SUCCEEDED', result: 'fine', error: null },
    ],
    rest: [
      { index: 2, status: 'FAILED', error: { index: 2 } },
      { index: 3, status: 'SUCCEEDED', error: null },
      { index: 4, status: 'SUCCEEDED', error: null },
    ],
  });
});

test('an answer that would be larger than the memory allows is refused, with a code', async () => {
  const { rows } = await jobs.database.pool.query(
    `insert into job (owner_id, type, status, size, completed, ended_at)
     values ($1, 'echo', 'COMPLETED', 100, 100, now()) returning id`,
    [member.id],
  );
  await jobs.database.pool.query(
    `insert into task (job_id, seq, type, owner_id, state, first_item, item_count, decided)
     select $1, n, 'echo', $2, 'succeeded', n, 1, jsonb_build_array(jsonb_build_array(0, 1, repeat('x', 250000)))
     from generate_series(0, 99) n`,
    [rows[0].id, member.id],
  );
  const query = 'query ($id: Float!, $n: Int) { job(id: $id) { status items(limit: $n) { index } } }';
  expect((await ask(member, query, { id: Number(rows[0].id), n: 50 })).data.job.items).toHaveLength(50);
  const { errors } = await ask(member, query, { id: Number(rows[0].id), n: 100 });
  expect(errors?.[0]).toMatchObject({
    message: 'The answer would be larger than 16777216 bytes; ask for fewer items',
    extensions: { code: 413, reason: 'TOO_LARGE' },
  });
});

test('the same idempotency key from the same user returns the same job; other input is a conflict', async () => {
  const key = { idempotencyKey: 'key-1' };
  const first = await execute({ text: 'a' }, key);
  const again = await Promise.all([execute({ text: 'a' }, key), execute({ text: 'a' }, key)]);
  for (const { data } of again) expect(data.executeJob.id).toBe(first.data.executeJob.id);
  const other = await execute({ text: 'b' }, key);
  expect(other.errors?.[0]?.extensions).toMatchObject({
    code: 409,
    reason: 'IDEMPOTENCY_CONFLICT',
    details: { jobId: first.data.executeJob.id },
  });
  const stranger = await execute({ text: 'b' }, key, auth.user());
  expect(stranger.data.executeJob.id).not.toBe(first.data.executeJob.id);
  for (const idempotencyKey of ['', 'x'.repeat(256), 'a\nb']) {
    expect(reasonOf(await execute({ text: 'a' }, { idempotencyKey }))).toBe('INVALID_INPUT');
  }
});

test('jobs are listed newest first, in pages that neither repeat nor leave out', async () => {
  const user = auth.user();
  const ids: number[] = [];
  for (let i = 0; i < 7; i += 1) ids.push(await accept(user, { text: `${i}` }));
  const list = async (before?: number) =>
    (
      await ask(user, 'query ($before: Float) { jobs(limit: 3, before: $before) { id } }', { before })
    ).data.jobs.map(({ id }: { id: number }) => id);
  const first = await list();
  const second = await list(first.at(-1));
  const third = await list(second.at(-1));
  expect([first.length, second.length, third.length]).toEqual([3, 3, 1]);
  expect([...first, ...second, ...third]).toEqual(ids.toReversed());
  expect(await list(third.at(-1))).toEqual([]);
});

test('jobs are filtered by status, type, time and owner', async () => {
  const user = auth.user();
  const other = auth.user();
  const echo = await accept(user, { text: 'a' });
  const add = (await execute({ a: 1, b: 2 }, { name: 'add' }, user)).data.executeJob;
  const cancelled = await accept(user, { text: 'c' });
  await ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id: cancelled });
  await accept(other, { text: 'd' });
  const list = async (filter: object, who = user) => {
    const answer = await ask(who, 'query ($filter: JobFilter) { jobs(filter: $filter) { id } }', { filter });
    return answer.errors ? reasonOf(answer) : answer.data.jobs.map(({ id }: { id: number }) => id);
  };
  expect(await list({})).toEqual([cancelled, add.id, echo]);
  expect(await list({ status: ['CANCELLED'] })).toEqual([cancelled]);
  expect(await list({ status: ['IN_PROGRESS', 'FAILED'] })).toEqual([add.id, echo]);
  expect(await list({ status: ['SCHEDULED'] })).toEqual([]);
  expect(await list({ type: ['ADD'] })).toEqual([add.id]);
  expect(await list({ type: ['add', 'Echo'], status: ['IN_PROGRESS'] })).toEqual([add.id, echo]);
  expect(await list({ type: ['nothing'] })).toBe('JOB_TYPE_NOT_FOUND');
  const startedAt = new Date(add.startedAt).getTime();
  expect(await list({ startedAfter: new Date(startedAt + 60_000).toISOString() })).toEqual([]);
  expect(await list({ startedAfter: new Date(startedAt - 60_000).toISOString() })).toHaveLength(3);
  expect(await list({ startedBefore: new Date(startedAt - 60_000).toISOString() })).toEqual([]);
  expect(await list({ startedBefore: new Date(startedAt + 60_000).toISOString(), type: ['add'] })).toEqual([
    add.id,
  ]);
  expect(await list({ owner: user.id })).toHaveLength(3);
  expect(await list({ owner: other.id })).toBe('FORBIDDEN');
  expect(await list({ allOwners: true })).toBe('FORBIDDEN');
  expect(await list({ owner: other.id }, auth.user('operator'))).toHaveLength(1);
  expect((await list({ allOwners: true }, auth.user('admin'))).length).toBeGreaterThan(4);
  expect(await list({ owner: "' or 1=1 --" }, auth.user('operator'))).toBe('INVALID_INPUT');
  expect(await list({ status: null, type: null, owner: null })).toHaveLength(3);
  for (const limit of [0, 201, -1]) {
    expect(reasonOf(await ask(user, `{ jobs(limit: ${limit}) { id } }`))).toBe('INVALID_INPUT');
  }
});

test('jobsMetadata is the catalog of job types', async () => {
  const { data } = await ask(
    member,
    '{ jobsMetadata { name slug description version inputSchema defaultItem available } }',
  );
  expect(data.jobsMetadata).toContainEqual({
    name: 'Add',
    slug: 'add',
    description: 'Adds.',
    version: 1,
    inputSchema: expect.objectContaining({ required: ['a', 'b'] }),
    defaultItem: { a: 1, b: 2 },
    available: true,
  });
});

test('cancelJob cancels a job that runs, tolerates a second time, and refuses one that has ended', async () => {
  const cancel = (id: number, user = member) =>
    ask(user, 'mutation ($id: Float!) { cancelJob(id: $id) { id status endedAt } }', { id });
  const id = await accept(member, { text: 'a' });
  expect((await cancel(id)).data.cancelJob).toEqual({ id, status: 'CANCELLED', endedAt: expect.any(String) });
  expect((await cancel(id)).data.cancelJob.status).toBe('CANCELLED');
  const done = await accept(member, { text: 'a' });
  await runAll();
  const { errors } = await cancel(done);
  expect(errors?.[0]).toMatchObject({
    message: `Job with ID ${done} has ended as COMPLETED`,
    extensions: { code: 409, reason: 'JOB_ENDED' },
  });
  const again = await accept(member, { text: 'a' });
  expect((await cancel(again, auth.user('operator'))).data.cancelJob.status).toBe('CANCELLED');
});

test('what the job type asks for is checked, and every bad item is named', async () => {
  const before = await countRows();
  const good = { a: 1, b: 1 };
  const { errors } = await execute([good, { a: -1, b: 1 }, good, { a: 1 }, { a: 'x', b: 1, c: 1 }], {
    name: 'add',
  });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 400, reason: 'INVALID_DATA' });
  expect(errors?.[0]?.message).toBe('Item 1, a: expected a number >= 0, got -1. And 3 more problems.');
  const { problems, total } = errors?.[0]?.extensions.details ?? {};
  expect(total).toBe(4);
  expect(problems.map(({ index, field }: { index: number; field: string }) => [index, field])).toEqual([
    [1, 'a'],
    [3, 'b'],
    [4, 'c'],
    [4, 'a'],
  ]);
  expect(problems[1]).toEqual({
    index: 3,
    field: 'b',
    expected: 'a value',
    got: 'nothing',
    message: 'Item 3, b: expected a value, got nothing.',
  });
  expect(await countRows()).toEqual(before);
});

test.each([
  ['null', null, 400],
  ['a number', 5, 400],
  ['text', 'x', 400],
  ['true', true, 400],
  ['an empty list', [], 400],
  ['an empty object', {}, 400],
  ['a list of scalars', [1, 2], 400],
  ['a list in a list', [[{ a: 1, b: 2 }]], 400],
  ['too many items', Array.from({ length: 101 }, () => ({ a: 1, b: 2 })), 413],
  ['a file that is none', { fileName: '../../etc/passwd' }, 400],
  ['a file name with NUL', { fileName: 'a\u0007b' }, 400],
  ['a file name that is no text', { fileName: 5 }, 400],
])('data that is %s is refused, and nothing is written', async (_what, data, code) => {
  const before = await countRows();
  const { errors, data: answer } = await execute(data, { name: 'add' });
  expect(answer).toBeNull();
  expect(errors?.[0]?.extensions.code).toBe(code);
  expect(errors?.[0]?.message).not.toMatch(/\p{Cc}/u);
  expect(await countRows()).toEqual(before);
});

test.each([
  ['a file name that is no text', { fileName: 5 }],
  ['a file name and more', { fileName: 'a.json', a: 1 }],
  ['a file name in a list', [{ fileName: 'a.json' }]],
])('%s is told with how an upload is named', async (_what, data) => {
  const { errors } = await execute(data, { name: 'add' });
  expect(errors?.[0]).toMatchObject({
    message: expect.stringMatching(/^Item 0.* To run over an upload, data must be \{"fileName": .*\.$/),
    extensions: { code: 400, reason: 'INVALID_DATA', details: { problems: expect.any(Array) } },
  });
  const { errors: others } = await execute({ a: 1 }, { name: 'add' });
  expect(others?.[0]?.message).not.toMatch(/upload/);
});

test('an item of more than a mebibyte is refused: it could not travel to an executor', async () => {
  const { errors } = await execute([{ text: 'a' }, { text: 'ü'.repeat(600_000) }]);
  expect(errors?.[0]?.message).toBe('Item 1: expected at most 1048576 bytes of JSON, got 1200011 bytes.');
});

test('unknown names of any kind are not found, and are said back harmlessly', async () => {
  for (const name of ['nothing', '__proto__', 'constructor', '', '\u001b[31mred', 'x'.repeat(1_000_000)]) {
    const { errors } = await execute({}, { name });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 404, reason: 'JOB_TYPE_NOT_FOUND' });
    expect(errors?.[0]?.message).toMatch(/^Job not found: \P{Cc}*$/u);
    expect(errors?.[0]?.message.length).toBeLessThan(300);
  }
});

test.each([1.5, -1, 0, 1e308, 9007199254740991])('job %d is not found', async (id) => {
  for (const query of [JOB, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }']) {
    const { errors } = await ask(member, query, { id });
    expect(errors?.[0]?.message).toBe(`Job with ID ${id} not found`);
    expect(errors?.[0]?.extensions).toEqual({ code: 404, reason: 'JOB_NOT_FOUND' });
  }
  expect(
    (await ask(member, 'query ($b: Float) { jobs(before: $b) { id } }', { b: id })).errors?.[0]?.extensions
      .code ?? 200,
  ).toBeOneOf([200, 400]);
});

test("another user's job answers exactly as a missing one", async () => {
  const id = await accept(member, { text: 'secret' });
  const stranger = auth.user();
  for (const operation of ['job(id: $id) { id }', 'cancelJob(id: $id) { id }']) {
    const query = `${operation.startsWith('job') ? 'query' : 'mutation'} ($id: Float!) { ${operation} }`;
    const theirs = await ask(stranger, query, { id });
    const missing = await ask(stranger, query, { id: 999_999_999 });
    expect(JSON.stringify(theirs).replace(String(id), 'N')).toBe(
      JSON.stringify(missing).replace('999999999', 'N'),
    );
  }
  expect((await ask(auth.user('operator'), JOB, { id })).data.job.id).toBe(id);
});

test('nobody, a viewer and a member may do what their role says', async () => {
  expect(reasonOf(await ask(undefined, JOB, { id: 1 }))).toBe('UNAUTHENTICATED');
  expect((await ask(undefined, EXECUTE, { input: { name: 'Echo', data: {} } })).errors?.[0]?.message).toBe(
    'Unauthorized',
  );
  expect(reasonOf(await ask({ id: '', token: 'wrong' }, '{ jobsMetadata { name } }'))).toBe(
    'UNAUTHENTICATED',
  );
  const viewer = auth.user('viewer');
  expect(reasonOf(await execute({ text: 'a' }, {}, viewer))).toBe('FORBIDDEN');
  expect((await ask(viewer, '{ jobs { id } }')).data.jobs).toEqual([]);
  const left = auth.user();
  await auth.logOut(left);
  expect(reasonOf(await ask(left, '{ jobs { id } }'))).toBe('UNAUTHENTICATED');
});

test('the cookie is accepted from our own site and refused from another', async () => {
  const body = JSON.stringify({ query: '{ jobs(limit: 1) { id } }' });
  const post = async (headers: Record<string, string>) => {
    const response = await fetch(`${jobs.origin}/jobs/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `Authentication=${member.token}`, ...headers },
      body,
    });
    return reasonOf((await response.json()) as Awaited<ReturnType<typeof ask>>);
  };
  expect(await post({})).toMatch(/^\{"jobs"/);
  expect(await post({ origin: jobs.origin })).toMatch(/^\{"jobs"/);
  expect(await post({ origin: 'https://evil.example' })).toBe('CROSS_SITE');
});

test.each([
  ['broken JSON', '{"query": ', {}],
  ['a list', '[]', {}],
  ['no query', '{}', {}],
  ['another content type', '{"query":"{ jobs { id } }"}', { 'content-type': 'text/plain' }],
  ['a form', 'query=x', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['a number that loses digits', '{"query":"{ jobs { id } }","variables":{"x":9007199254740993}}', {}],
  ['a name twice', '{"query":"{ jobs { id } }","variables":{"x":1,"x":2}}', {}],
  ['a name of the prototype, escaped', '{"query":"{ jobs { id } }","variables":{"__pr\\u006fto__":1}}', {}],
  ['an unknown field', '{"query":"{ jobs { password } }"}', {}],
  [
    'a cycle of fragments',
    '{"query":"{ jobs { ...a } } fragment a on Job { ...b } fragment b on Job { ...a }"}',
    {},
  ],
  ['NaN', '{"query":"{ jobs { id } }","variables":{"x":NaN}}', {}],
])('%s is refused before anything is executed', async (_what, body, headers) => {
  const { status, data, errors } = await send(body, headers);
  expect(status).toBe(200);
  expect(data).toBeNull();
  expect(errors?.[0]?.extensions.code).toBe(400);
});

const nested = (depth: number) => `${'... on Query { '.repeat(depth)}jobs { id }${' }'.repeat(depth)}`;

test.each([
  ['levels', '{ jobs { items { error { index } } } }', 'fine'],
  ['nesting', `{ ${nested(30_000)} }`, 'QUERY_TOO_COMPLEX'],
  [
    'aliases',
    `{ ${Array.from({ length: 40 }, (_, i) => `a${i}: jobs { id }`).join(' ')} }`,
    'QUERY_TOO_COMPLEX',
  ],
  ['operations', `{ ${'jobs { id } '.repeat(21)} }`, 'QUERY_TOO_COMPLEX'],
  ['directives', `{ ${'... @include(if: true) { jobs { id } } '.repeat(25)} }`, 'QUERY_TOO_COMPLEX'],
])('too much of %s is refused before anything is executed', async (_what, query, reason) => {
  const answer = await ask(auth.user(), query);
  if (reason === 'fine') expect(answer).toEqual({ data: { jobs: [] } });
  else
    expect([reasonOf(answer), answer.errors?.[0]?.message]).toEqual([
      reason,
      expect.stringMatching(/limit|nested too/),
    ]);
});

test('a body that is too large is refused, stated or not, and of nobody not even read', async () => {
  const large = JSON.stringify({ query: '{ jobs { id } }', variables: { x: 'x'.repeat(17 * 1024 * 1024) } });
  expect((await send(large)).errors?.[0]?.extensions).toMatchObject({ code: 413, reason: 'TOO_LARGE' });
  const chunked = await fetch(`${jobs.origin}/jobs/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...bearer(member) },
    body: new Blob([large]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(reasonOf((await chunked.json()) as Awaited<ReturnType<typeof ask>>)).toBe('TOO_LARGE');
  const { errors } = await send(large.slice(0, 300_000), { authorization: 'Bearer wrong' });
  expect(errors?.[0]?.extensions.reason).toBe('UNAUTHENTICATED');
});

test('a request that arrives with many others is not held up by a bad one', async () => {
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, i) => execute(i % 2 ? { text: `${i}` } : { text: i })),
  );
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(32);
});

test('what was accepted and done can be measured, and no secret is told', async () => {
  await runAll();
  const metrics = await (await fetch(`${jobs.origin}/metrics`)).text();
  expect(metrics).toMatch(/jobber_jobs_accepted_total\{type="echo",daemon="jobs"\} \d+/);
  expect(metrics).toMatch(/jobber_jobs_tasks_claimed_total\{type="echo",daemon="jobs"\} \d+/);
  expect(metrics).toMatch(/jobber_jobs_attempts_ended_total\{outcome="finished",daemon="jobs"\} \d+/);
  expect(metrics).toMatch(/jobber_jobs_batch_size_count\{daemon="jobs",batch="accept"\} \d+/);
  expect(metrics).toMatch(
    /jobber_jobs_request_seconds_count\{.*operation="executeJob",outcome="INVALID_DATA"/,
  );
  expect(metrics).not.toContain(member.token);
  expect(jobs.logLines.join('')).not.toContain(member.token);
});

test('accepting, ending and cancelling are logged with the job', async () => {
  const id = await accept(member, { text: 'a' });
  await runAll();
  const lines = jobs.logLines.map((line) => JSON.parse(line)).filter(({ jobId }) => jobId === id);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    ['debug', 'job accepted'],
    ['debug', 'job ended'],
  ]);
});
