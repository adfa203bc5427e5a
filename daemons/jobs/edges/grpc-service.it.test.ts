import { connect } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';
import {
  AckStatus,
  type AttemptOutcome,
  ItemStatus,
  JobsServiceDefinition,
  type JobTypeOffer,
  type LeasedTask,
  LeaseStatus,
} from '@jobber/proto/jobs/v1/jobs';
import { createChannel, createClient, Metadata } from 'nice-grpc';
import { Status } from 'nice-grpc-common';
import { afterEach, expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { EXECUTE, formWith, JOB, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { auth, accept, ask } = jobs;
const { pool } = jobs.database;
const member = auth.user();
const client = jobs.client();
const executorId = 'executor-1';

async function take(count: number, slugs = ['echo']): Promise<LeasedTask[]> {
  const executor = startFakeExecutor(client, { slugs });
  executor.grant(count);
  await expect.poll(() => executor.tasks.length).toBe(count);
  await executor.close();
  return executor.tasks;
}

async function takeOne(slugs?: string[]): Promise<LeasedTask> {
  const [task] = await take(1, slugs);
  return task as LeasedTask;
}

const acknowledge = async (...outcomes: AttemptOutcome[]) =>
  (await client.acknowledgeJob({ executorId, outcomes })).statuses;

async function statusOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'OK',
    (error: { code: Status; details: string }) => `${Status[error.code]}: ${error.details}`,
  );
}

const failing = (task: LeasedTask, status: ItemStatus, error = { reason: 'Broken', message: 'No.' }) => ({
  ...success(task),
  items: success(task).items.map((item) => ({ ...item, status, resultJson: '', error })),
});

const offer = (changes: Partial<JobTypeOffer> = {}): JobTypeOffer => ({
  name: 'SayHello',
  slug: 'say-hello',
  version: 3,
  description: 'Says hello.',
  inputSchemaJson: '{"type":"object"}',
  defaultItemJson: '{}',
  itemsPerTask: 5,
  retry: { maxAttempts: 2, backoffMs: 0, maxBackoffMs: 0 },
  limits: { timeoutMs: 5_000, maxItems: 10, maxRunning: 0 },
  ...changes,
});

afterEach(async () => {
  // Whatever a test has sent, the service still serves; then the queue is cleared for the next one.
  const id = await accept(member, { text: 'still there' });
  expect((await ask(member, JOB, { id })).data.job.status).toBe('IN_PROGRESS');
  await pool.query(
    "update task set state = 'cancelled', lease_until = null where state in ('ready', 'dispatched', 'running')",
  );
  await pool.query("update job set status = 'CANCELLED', ended_at = now() where ended_at is null");
});

test('nobody but an executor with its credential is let in', async () => {
  const heartbeat = { executorId, refs: [] };
  const strangers = [
    [jobs.client('auth'), 'PERMISSION_DENIED: auth may not call Heartbeat'],
    [jobs.client('products'), 'PERMISSION_DENIED: products may not call Heartbeat'],
    [jobs.client('executor', 'x'.repeat(32)), 'UNAUTHENTICATED: A valid service credential is required'],
  ] as const;
  for (const [stranger, refusal] of strangers)
    expect(await statusOf(stranger.heartbeat(heartbeat))).toBe(refusal);

  const channel = createChannel(jobs.grpcAddress, ChannelCredentials.createInsecure());
  const anonymous = createClient(JobsServiceDefinition, channel);
  const headers = [
    {},
    { authorization: `Bearer ${member.token}` },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': member.token },
    { 'x-jobber-caller': '__proto__', 'x-jobber-credential': 'x' },
  ];
  const id = await accept(member, { text: 'a' });
  const ref = { jobId: id, seq: 0, attempt: 1 };
  for (const header of headers) {
    const metadata = new Metadata(header as Record<string, string>);
    const drain = async (stream: AsyncIterable<unknown>) => {
      for await (const _ of stream);
    };
    const calls = [
      anonymous.heartbeat(heartbeat, { metadata }),
      anonymous.registerJobTypes({ executorId, types: [offer()] }, { metadata }),
      anonymous.startTask({ executorId, ref }, { metadata }),
      drain(anonymous.startTasks({ executorId, refs: [] }, { metadata })),
      anonymous.acknowledgeJob({ executorId, outcomes: [] }, { metadata }),
      drain(anonymous.readUpload({ executorId, ref, byteFrom: 0, byteTo: 1 }, { metadata })),
      drain(anonymous.watchCancellations({ executorId }, { metadata })),
      drain(anonymous.receiveTasks((async function* () {})(), { metadata })),
    ];
    const refused = 'UNAUTHENTICATED: A valid service credential is required';
    expect(await Promise.all(calls.map(statusOf))).toEqual(calls.map(() => refused));
  }
  channel.close();
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'IN_PROGRESS', completed: 0 });
});

test('an executor offers its types, and of two versions the newer one is kept', async () => {
  const register = (...types: JobTypeOffer[]) => client.registerJobTypes({ executorId, types });
  expect(await register(offer())).toEqual({ slugs: ['say-hello'] });
  await Promise.all([register(offer({ version: 2, description: 'Old.' })), register(offer({ version: 4 }))]);
  await register(offer({ version: 1, description: 'Older.' }));
  const { data } = await ask(member, '{ jobsMetadata { slug version description available } }');
  expect(data.jobsMetadata).toContainEqual({
    slug: 'say-hello',
    version: 4,
    description: 'Says hello.',
    available: true,
  });
});

test.each([
  ['a name with spaces', { name: 'Say Hello' }],
  ['a name of the prototype', { name: '__proto__', slug: '__proto__' }],
  ['a slug that is not the name', { slug: 'other' }],
  ['a schema that is no JSON', { inputSchemaJson: '{' }],
  ['a schema that is a list', { inputSchemaJson: '[]' }],
  ['no schema', { inputSchemaJson: '' }],
  ['a schema that is no schema', { inputSchemaJson: '{"type":"thing"}' }],
  ['a default that is no JSON', { defaultItemJson: 'x' }],
  ['no items per task', { itemsPerTask: 0 }],
  ['no attempts', { retry: { maxAttempts: 0, backoffMs: 0, maxBackoffMs: 0 } }],
  ['a negative backoff', { retry: { maxAttempts: 1, backoffMs: -1, maxBackoffMs: 0 } }],
  ['no time', { limits: undefined }],
  ['too many items', { limits: { timeoutMs: 1, maxItems: 10_000_001, maxRunning: 0 } }],
  ['a negative version', { version: -1 }],
])('an offer with %s is refused, and the catalog stays as it is', async (_what, changes) => {
  const types = [offer({ name: 'Fine', slug: 'fine' }), offer(changes)];
  expect(await statusOf(client.registerJobTypes({ executorId, types }))).toMatch(/^INVALID_ARGUMENT: .*\.?$/);
  const { data } = await ask(member, '{ jobsMetadata { slug } }');
  expect(data.jobsMetadata).not.toContainEqual({ slug: 'fine' });
});

test('text that PostgreSQL cannot store does not reach it', async () => {
  const description = 'a\u0000b';
  await client.registerJobTypes({ executorId, types: [offer({ version: 5, description })] });
  const { data } = await ask(member, '{ jobsMetadata { slug description } }');
  expect(data.jobsMetadata).toContainEqual({ slug: 'say-hello', description: 'a\ufffdb' });
});

test('tasks belong to the trace of the request, and without a valid one all of its jobs begin one together', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await ask(member, EXECUTE, { input: { name: 'Echo', data: [{ text: 'a' }] } }, { traceparent });
  expect((await takeOne()).traceparent).toBe(traceparent);

  const many = 'mutation ($input: [ExecuteJobInput!]!) { executeJobs(executeJobsInput: $input) { id } }';
  const input = ['a', 'b'].map((text) => ({ name: 'Echo', data: [{ text }] }));
  await ask(member, many, { input }, { traceparent: 'forged' });
  const traces = (await take(2)).map((task) => task.traceparent);
  expect(traces[0]).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
  expect(traces[1]).toBe(traces[0]);
});

test('tasks arrive as far as the credit goes, each once, with all that is needed to run them', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  const executor = startFakeExecutor(client);
  executor.grant(1);
  await expect.poll(() => executor.tasks.length).toBe(1);
  expect(executor.tasks[0]).toEqual({
    ref: { jobId: id, seq: 0, attempt: 1 },
    slug: 'echo',
    firstItem: 0,
    itemCount: 2,
    offsets: [],
    input: { $case: 'itemsJson', value: '[{"text":"a"},{"text":"b"}]' },
    leaseMs: 15_000,
    timeoutMs: 10_000,
    ownerId: member.id,
    traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
    interruptions: 0,
  });
  executor.grant(-5);
  executor.grant(0);
  executor.grant(2);
  await expect.poll(() => executor.tasks.length).toBe(2);
  await executor.close();
});

test('a task that is accepted later arrives at once, also at the executor of another subscription', async () => {
  const executors = [startFakeExecutor(client), startFakeExecutor(client, { executorId: 'executor-2' })];
  for (const executor of executors) executor.grant(10);
  const seen = () => executors.flatMap(({ tasks }) => tasks.map(({ ref }) => ref?.jobId));
  const ids: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    ids.push(await accept(member, { text: `${i}` }));
    await expect.poll(() => seen().length, { interval: 5 }).toBe(ids.length);
  }
  expect(seen().toSorted((a, b) => Number(a) - Number(b))).toEqual(ids);
  await Promise.all(executors.map((executor) => executor.close()));
});

test('large tasks travel in several messages', async () => {
  const text = 'x'.repeat(900_000);
  for (let i = 0; i < 3; i += 1)
    await accept(
      member,
      Array.from({ length: 12 }, () => ({ text })),
    );
  const tasks = await take(36);
  const sizes = tasks.map(({ input }) => (input?.$case === 'itemsJson' ? input.value.length : 0));
  expect(sizes.every((size) => size > 900_000)).toBe(true);
  expect(await acknowledge(...tasks.map((task) => success(task)))).toEqual(
    tasks.map(() => AckStatus.RECORDED),
  );
});

test('a giant job does not keep a small one waiting', async () => {
  await accept(
    member,
    Array.from({ length: 1_000 }, (_, i) => ({ text: `${i}` })),
  );
  const small = await accept(member, { text: 'small' });
  const tasks = await take(20);
  expect(tasks.map(({ ref }) => ref?.jobId)).toContain(small);
});

test('a subscription that is none is refused', async () => {
  const receive = async (...requests: object[]) => {
    async function* outgoing() {
      yield* requests as never[];
    }
    for await (const _ of client.receiveTasks(outgoing()));
  };
  const subscribe = (value: object) => receive({ request: { $case: 'subscribe', value } });
  expect(await statusOf(receive())).toBe('INVALID_ARGUMENT: The first message must subscribe');
  expect(await statusOf(receive({ request: { $case: 'credit', value: 1 } }))).toMatch(/must subscribe/);
  expect(await statusOf(subscribe({ executorId: '', slugs: ['echo'] }))).toMatch(
    /^INVALID_ARGUMENT: executor_id/,
  );
  expect(await statusOf(subscribe({ executorId: 'a\nb', slugs: [] }))).toMatch(
    /^INVALID_ARGUMENT: executor_id/,
  );
  const slugs = Array.from({ length: 1_001 }, (_, i) => `s${i}`);
  expect(await statusOf(subscribe({ executorId, slugs }))).toMatch(/^RESOURCE_EXHAUSTED/);
});

test('tasks that were claimed for an executor that went away come back at once', async () => {
  const executor = startFakeExecutor(client);
  executor.grant(100);
  executor.abort();
  const id = await accept(member, { text: 'a' });
  const task = await takeOne();
  expect(task.ref?.jobId).toBe(id);
});

/** What the relay does where there is a broker. */
const dispatchAll = () =>
  pool.query(
    `update task set state = 'dispatched', lease_until = now() + interval '1 h' where state = 'ready'`,
  );

test('a hint starts a task once; late, doubled, forged and impossible ones are superseded or refused', async () => {
  const id = await accept(member, { text: 'a' });
  const start = async (ref: object | undefined) =>
    (await client.startTask({ executorId, ref: ref as never })).result?.$case;
  expect(await start({ jobId: id, seq: 0, attempt: 2 })).toBe('superseded');
  expect(await start({ jobId: id, seq: 7, attempt: 1 })).toBe('superseded');
  expect(await start({ jobId: id + 1_000, seq: 0, attempt: 1 })).toBe('superseded');
  expect(await start({ jobId: Number.MAX_SAFE_INTEGER, seq: 2_147_483_647, attempt: 2_147_483_647 })).toBe(
    'superseded',
  );
  // Nobody has dispatched it yet: not even a hint that names it rightly starts it.
  expect(await start({ jobId: id, seq: 0, attempt: 1 })).toBe('superseded');
  await dispatchAll();
  expect(await start({ jobId: id, seq: 0, attempt: 1 })).toBe('task');
  expect(await start({ jobId: id, seq: 0, attempt: 1 })).toBe('superseded');
  for (const ref of [
    undefined,
    { jobId: 0, seq: 0, attempt: 1 },
    { jobId: -1, seq: 0, attempt: 1 },
    { jobId: id, seq: -1, attempt: 1 },
    { jobId: id, seq: 0, attempt: 0 },
  ]) {
    expect(await statusOf(start(ref))).toBe('INVALID_ARGUMENT: ref must name a job, a task and an attempt');
  }
});

test('starts that are asked for together are answered in their order, in messages of a limited size', async () => {
  const large = { text: 'a'.repeat(1_000_000) };
  const ids: number[] = [];
  for (let n = 0; n < 5; n += 1) ids.push(await accept(member, large));
  await dispatchAll();
  const refs = [...ids, 999_999].map((jobId) => ({ jobId, seq: 0, attempt: 1 }));
  const messages: (number | undefined)[][] = [];
  for await (const { results } of client.startTasks({ executorId, refs })) {
    messages.push(
      results.map(({ result }) => (result?.$case === 'task' ? result.value.ref?.jobId : undefined)),
    );
  }
  expect(messages).toEqual([ids.slice(0, 4), [ids[4], undefined]]);
  const many = async (count: number) => {
    const copies = Array.from({ length: count }, () => ({ jobId: 1, seq: 0, attempt: 1 }));
    for await (const _ of client.startTasks({ executorId, refs: copies }));
  };
  expect(await statusOf(many(501))).toMatch(/^RESOURCE_EXHAUSTED/);
});

test('a heartbeat renews what runs, and tells what is lost or cancelled', async () => {
  const [kept, cancelled] = [await accept(member, { text: 'a' }), await accept(member, { text: 'b' })];
  const tasks = await take(2);
  await ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id: cancelled });
  const refs = [
    ...tasks.map(({ ref }) => ref).sort((a, b) => Number(a?.jobId) - Number(b?.jobId)),
    { jobId: kept, seq: 0, attempt: 2 },
    { jobId: 999_999, seq: 0, attempt: 1 },
  ];
  const { statuses } = await client.heartbeat({ executorId, refs: refs as never });
  expect(statuses).toEqual([LeaseStatus.RENEWED, LeaseStatus.CANCELLED, LeaseStatus.LOST, LeaseStatus.LOST]);
  const tooMany = Array.from({ length: 10_001 }, () => ({ jobId: 1, seq: 0, attempt: 1 }));
  expect(await statusOf(client.heartbeat({ executorId, refs: tooMany }))).toMatch(/^RESOURCE_EXHAUSTED/);
});

test('progress that comes with a heartbeat is shown for the attempt that runs, and for no other', async () => {
  const id = await accept(member, { text: 'a' });
  const task = await takeOne();
  const ref = task.ref!;
  const running = async () =>
    (
      await ask(
        member,
        'query ($id: Float!) { job(id: $id) { running { task attempt items executor progress { done total note at } } } }',
        { id },
      )
    ).data.job.running;
  const beat = (attempt: number, ...progress: object[]) =>
    client.heartbeat({
      executorId,
      refs: [{ ...ref, attempt }],
      progress: progress.map((said) => ({ ref: { ...ref, attempt }, ...said })),
    });
  const shown = { task: 0, attempt: 1, items: 1, executor: executorId };
  expect(await running()).toEqual([{ ...shown, progress: null }]);

  await beat(1, { done: 3, total: 12, note: 'page 3' });
  const at = expect.stringMatching(/^20\d\d-/);
  const said = { ...shown, progress: { done: 3, total: 12, note: 'page 3', at } };
  expect(await running()).toEqual([said]);
  // A heartbeat without news, and one of an attempt that is not the running one.
  expect((await beat(1)).statuses).toEqual([LeaseStatus.RENEWED]);
  expect((await beat(2, { done: 12, total: 12, note: 'forged' })).statuses).toEqual([LeaseStatus.LOST]);
  expect(await running()).toEqual([said]);
  // The total is not known any more, and there is nothing to note.
  await beat(1, { done: 4 });
  expect(await running()).toEqual([{ ...shown, progress: { done: 4, total: null, note: null, at } }]);

  await acknowledge({ ...success(task, ''), items: [], interrupted: true });
  expect(await running()).toEqual([]);
  const again = await takeOne();
  expect(again.ref).toEqual({ ...ref, attempt: 2 });
  expect(await running()).toEqual([{ ...shown, attempt: 2, progress: null }]);
  expect((await beat(1, { done: 5 })).statuses).toEqual([LeaseStatus.LOST]);
  expect(await running()).toEqual([{ ...shown, attempt: 2, progress: null }]);
  await acknowledge(success(again, 'done'));
  expect(await running()).toEqual([]);
});

test('absurd progress costs no lease: what does not fit is bounded or passed over', async () => {
  const id = await accept(member, { text: 'a' });
  const task = await takeOne();
  const ref = task.ref!;
  const beat = async (...progress: object[]) => {
    const { statuses } = await client.heartbeat({ executorId, refs: [ref], progress });
    const query = 'query ($id: Float!) { job(id: $id) { running { progress { done total note } } } }';
    const { data } = await ask(member, query, { id });
    return [statuses[0], data.job.running[0].progress];
  };
  const none = [LeaseStatus.RENEWED, null];
  expect(await beat({ done: 1, total: 2 })).toEqual(none);
  expect(await beat({ ref: { ...ref, jobId: 999_999 }, done: 1 })).toEqual(none);
  for (const done of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
    expect(await beat({ ref, done, total: 2, note: 'n' })).toEqual(none);
  }
  const ofOthers = Array.from({ length: 1_000 }, (_, seq) => ({ ref: { jobId: 999_999, seq, attempt: 1 } }));
  expect(await beat(...ofOthers, { ref, done: 1 })).toEqual(none);
  expect(
    await beat({ ref, done: 1e308, total: Number.POSITIVE_INFINITY, note: `\0${'x'.repeat(10_000)}` }),
  ).toEqual([
    LeaseStatus.RENEWED,
    { done: Number.MAX_SAFE_INTEGER, total: Number.MAX_SAFE_INTEGER, note: 'x'.repeat(199) },
  ]);
  await acknowledge(success(task, 'done'));
});

test('running tasks are paged by their numbers', async () => {
  const id = await accept(
    member,
    Array.from({ length: 6 }, (_, n) => ({ text: `${n}` })),
  );
  const tasks = await take(3);
  const running = async (args: string) =>
    await ask(member, `query ($id: Float!) { job(id: $id) { running${args} { task } } }`, { id });
  const numbers = async (args: string) =>
    (await running(args)).data.job.running.map(({ task }: { task: number }) => task);
  expect(await numbers('')).toEqual([0, 1, 2]);
  expect(await numbers('(limit: 2)')).toEqual([0, 1]);
  expect(await numbers('(limit: 2, after: 1)')).toEqual([2]);
  for (const args of ['(limit: 0)', '(limit: 1001)', '(after: -2)']) {
    expect((await running(args)).errors?.[0]?.extensions.reason).toBe('INVALID_INPUT');
  }
  await acknowledge(...tasks.map((task) => success(task, 'done')));
});

test('an outcome is recorded once', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  const task = await takeOne();
  const outcome = success(task, 'done');
  expect(await acknowledge(outcome, outcome)).toEqual([AckStatus.RECORDED, AckStatus.SUPERSEDED]);
  expect(await acknowledge(outcome)).toEqual([AckStatus.SUPERSEDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', completed: 2 });
});

test('an outcome with offsets out of range, too few items or of an unknown task changes nothing', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  const task = await takeOne();
  const good = success(task);
  const item = good.items[0]!;
  const unfit = [
    { ...good, items: [item, { ...item, offset: 2 }] },
    { ...good, items: [item, { ...item, offset: 2_147_483_647 }] },
    { ...good, interrupted: true, items: [{ ...item, offset: 5 }] },
    { ...good, ref: { jobId: id, seq: 1, attempt: 1 } },
    { ...good, ref: { jobId: id + 1_000, seq: 0, attempt: 1 } },
    { ...good, ref: { jobId: id, seq: 0, attempt: 2 } },
  ];
  expect(await acknowledge(...unfit)).toEqual(unfit.map(() => AckStatus.SUPERSEDED));
  const malformed: [object, RegExp][] = [
    [{ items: [{ ...item, offset: -1 }] }, /negative or named twice/],
    [{ items: [item, item] }, /negative or named twice/],
    [{ items: [{ ...item, status: 0 }] }, /has no status/],
    [{ items: [{ ...item, status: 99 }] }, /has no status/],
    [{ ref: undefined }, /ref must name/],
    [{ countersJson: '{"a":1.5}' }, /counters/],
    [{ countersJson: '[1]' }, /counters/],
    [{ countersJson: 'null' }, /counters/],
    [{ countersJson: '{"a":NaN}' }, /counters/],
    [{ countersJson: '{"__proto__":1}' }, /counters/],
  ];
  for (const [change, message] of malformed) {
    expect(await statusOf(acknowledge({ ...good, ...change } as AttemptOutcome))).toMatch(message);
  }
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({
    status: 'IN_PROGRESS',
    completed: 0,
    failed: 0,
  });
  expect(await acknowledge(good)).toEqual([AckStatus.RECORDED]);
});

test('a result that cannot be kept fails its item, and none of the others that arrive with it', async () => {
  const ids = [];
  for (let i = 0; i < 5; i += 1) ids.push(await accept(member, { text: `${i}` }));
  const tasks = await take(5);
  const results = ['{', '"\\u0000"', '9007199254740993', '{"__proto__":1}', '{"fine":true}'];
  const outcomes = ids.map((id, index) => {
    const task = tasks.find(({ ref }) => ref?.jobId === id) as LeasedTask;
    const outcome = success(task);
    return {
      ...outcome,
      items: outcome.items.map((item) => ({ ...item, resultJson: results[index] ?? '' })),
    };
  });
  expect(await acknowledge(...outcomes)).toEqual(ids.map(() => AckStatus.RECORDED));
  const query = 'query ($id: Float!) { job(id: $id) { status result errors { reason message } } }';
  for (const id of ids.slice(0, 4)) {
    const { job } = (await ask(member, query, { id })).data;
    expect(job).toMatchObject({ status: 'FAILED', errors: [{ reason: 'InvalidResult' }] });
  }
  expect((await ask(member, query, { id: ids[4] })).data.job.result).toEqual({ fine: true });
});

test('items to be tried again come back without those that are decided, until no attempts are left', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const task = await takeOne();
    expect(task).toMatchObject({ ref: { attempt }, offsets: attempt === 1 ? [] : [1] });
    const again = failing(task, ItemStatus.RETRY);
    const items = attempt === 1 ? [success(task).items[0]!, again.items[1]!] : again.items;
    expect(await acknowledge({ ...again, items })).toEqual([AckStatus.RECORDED]);
  }
  const query =
    'query ($id: Float!) { job(id: $id) { status completed failed errors { index reason message } } }';
  expect((await ask(member, query, { id })).data.job).toEqual({
    status: 'FAILED',
    completed: 1,
    failed: 1,
    errors: [{ index: 1, reason: 'Broken', message: 'No.' }],
  });
});

test('items that a handler forgets are tried again, and fail in the end', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const task = await takeOne();
    const items = attempt === 1 ? success(task).items.slice(0, 1) : [];
    expect(await acknowledge({ ...success(task), items })).toEqual([AckStatus.RECORDED]);
  }
  const query = 'query ($id: Float!) { job(id: $id) { status completed failed errors { index reason } } }';
  expect((await ask(member, query, { id })).data.job).toEqual({
    status: 'FAILED',
    completed: 1,
    failed: 1,
    errors: [{ index: 1, reason: 'NoOutcome' }],
  });
});

test('an interrupted attempt keeps what it has decided, and is not counted', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const task = await takeOne();
    const items = attempt === 1 ? success(task).items.slice(0, 1) : [];
    expect(await acknowledge({ ...success(task), items, interrupted: true })).toEqual([AckStatus.RECORDED]);
  }
  const last = await takeOne();
  expect(last.offsets).toEqual([1]);
  expect(await acknowledge({ ...success(last), interrupted: true })).toEqual([AckStatus.RECORDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', completed: 2 });
});

test('a task that is interrupted again and again is given up', async () => {
  const id = await accept(member, { text: 'a' });
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const task = await takeOne();
    const outcome = { ...success(task), items: [], interrupted: true };
    expect(await acknowledge(outcome)).toEqual([AckStatus.RECORDED]);
  }
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'FAILED', failed: 1 });
});

test('a task that never began is given back as often as need be', async () => {
  const id = await accept(member, { text: 'a' });
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    const outcome = { ...success(await takeOne()), items: [], interrupted: true, notStarted: true };
    expect(await acknowledge(outcome)).toEqual([AckStatus.RECORDED]);
  }
  expect(await acknowledge(success(await takeOne()))).toEqual([AckStatus.RECORDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED' });
  const metrics = await (await fetch(`${jobs.origin}/metrics`)).text();
  expect(metrics).toMatch(/jobber_jobs_attempts_ended_total\{outcome="handed-back",daemon="jobs"\} 12/);
});

test('a lease that expires brings the task to another executor, and fences the first one off', async () => {
  const id = await accept(member, { text: 'a' });
  const zombie = await takeOne();
  await pool.query("update task set lease_until = now() - interval '1 s' where job_id = $1", [id]);
  const task = await takeOne();
  expect(task.ref).toEqual({ jobId: id, seq: 0, attempt: 2 });
  expect(await acknowledge(success(zombie, 'zombie'))).toEqual([AckStatus.SUPERSEDED]);
  expect(await acknowledge(success(task, 'alive'))).toEqual([AckStatus.RECORDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', result: 'alive' });
  const metrics = await (await fetch(`${jobs.origin}/metrics`)).text();
  expect(metrics).toMatch(/jobber_jobs_tasks_rescued_total\{type="echo",daemon="jobs"\} [1-9]/);
  expect(jobs.logLines.find((line) => line.includes('rescued'))).toContain(`"jobIds":[${id}]`);
});

test('only a running attempt reads its upload, and only its own bytes', async () => {
  const content = Array.from({ length: 600 }, (_, i) => `{"text":"${i}"}`).join('\n');
  const response = await jobs.upload(member, formWith(content, 'a.ndjson'));
  const { filename } = (await response.json()) as { filename: string };
  const { data } = await ask(member, EXECUTE, { input: { name: 'Echo', data: { fileName: filename } } });
  const tasks = await take(3);
  const slices = tasks.map(({ input }) => (input?.$case === 'upload' ? input.value : undefined));
  expect(slices[0]).toMatchObject({
    fileName: filename,
    format: 'ndjson',
    byteFrom: 0,
    line: 1,
    csvHeader: [],
  });
  const read = async (task: LeasedTask, byteFrom: number, byteTo: number) => {
    const chunks: Uint8Array[] = [];
    const { ref } = task;
    for await (const { chunk } of client.readUpload({ executorId, ref, byteFrom, byteTo }))
      chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const [first, second] = tasks as [LeasedTask, LeasedTask];
  const { byteFrom, byteTo } = slices[0]!;
  expect(await read(first, byteFrom, byteTo)).toBe(content.slice(byteFrom, byteTo));
  const refused = 'NOT_FOUND: The attempt is not running, or has no such bytes';
  for (const [from, to] of [
    [0, byteTo + 10],
    [byteTo, byteTo + 10],
    [5, 5],
    [10, 5],
    [-1, 5],
    [0, Number.MAX_SAFE_INTEGER],
  ] as const) {
    expect(await statusOf(read(first, from, to))).toBe(refused);
  }
  expect(await statusOf(read(second, byteFrom, byteTo))).toBe(refused);
  expect(await statusOf(read({ ...first, ref: { ...first.ref!, attempt: 2 } }, byteFrom, byteTo))).toBe(
    refused,
  );
  await ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id: data.executeJob.id });
  expect(await statusOf(read(first, byteFrom, byteTo))).toBe(refused);
});

test('a message of more than 8 MiB is refused before it is read', async () => {
  const task = { ref: { jobId: 1, seq: 0, attempt: 1 }, itemCount: 1, offsets: [] } as unknown as LeasedTask;
  const outcome = success(task, 'x'.repeat(9 * 1024 * 1024));
  expect(await statusOf(acknowledge(outcome))).toMatch(/^RESOURCE_EXHAUSTED/);
});

test('garbage on the port, one-millisecond deadlines and calls that are broken off do no harm', async () => {
  const [host = '', port = ''] = jobs.grpcAddress.split(':');
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxx',
    '\u0000'.repeat(5_000),
  ]) {
    const socket = connect(Number(port), host);
    // However it is broken off: a reset is an error first.
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    socket.end(garbage);
    socket.resume();
    await closed;
  }
  const id = await accept(member, { text: 'a' });
  const task = await takeOne();
  const before = jobs.logLines.length;
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      statusOf(client.heartbeat({ executorId, refs: [task.ref!] }, { signal: AbortSignal.timeout(i % 3) })),
    ),
  );
  const broken = new AbortController();
  const call = client.acknowledgeJob({ executorId, outcomes: [success(task)] }, { signal: broken.signal });
  broken.abort();
  await call.catch(() => {});
  // Recorded or not, it is all or nothing, and saying it again settles it.
  expect(await acknowledge(success(task))).toEqual([expect.any(Number)]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', completed: 1 });
  expect(jobs.logLines.slice(before).filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});
