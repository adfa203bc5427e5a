import { setTimeout as delay } from 'node:timers/promises';
import { type AttemptOutcome, ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { ServerError, Status } from 'nice-grpc';
import { expect, onTestFinished, test } from 'vitest';
import { SUSPECT_FROM } from './attempts/suspects.ts';
import { createGate, startFakeJobs, startTestExecutor, until } from './testing/test-executor.ts';
import { type FakeJobs, type FakeTask, TRACE } from './testing/test-fake-jobs.ts';

/**
 * Leases are renewed each third of it, and a call may take as long. Shorter ones are for tests that lose them: a machine
 * that stands still for two seconds would.
 */
const SHORT_LEASE_MS = 6_000;

const isDone = ({ state }: FakeTask) => state === 'done';
const allDone = (tasks: readonly FakeTask[]) => until(() => tasks.every(isDone), 'all tasks are done');
const firstItem = (outcome: AttemptOutcome | undefined) => outcome?.items[0];

test('a task is received, run, recorded and counted, with one result per item', async () => {
  const jobs = await startFakeJobs();
  const executor = await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'echo', items: [{ n: 1 }, { n: 2 }], firstItem: 10 });
  await allDone([task]);
  const [outcome] = task.outcomes;
  expect(outcome).toMatchObject({
    ref: { attempt: 1 },
    interrupted: false,
    deferred: false,
    countersJson: '{"echoed":2}',
    items: [
      { offset: 0, status: ItemStatus.SUCCEEDED },
      { offset: 1, status: ItemStatus.SUCCEEDED },
    ],
  });
  expect(JSON.parse(outcome!.items[1]!.resultJson)).toMatchObject({ index: 11, value: { n: 2 } });
  expect((await executor.get('/metrics')).body).toMatch(
    /jobber_executor_outcomes_total\{type="echo",outcome="succeeded",daemon="executor"\} 1/,
  );
});

test('only the items that are undecided are run', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'inline-echo', items: [{ n: 0 }, { n: 1 }, { n: 2 }], offsets: [2] });
  await allDone([task]);
  expect(task.outcomes[0]?.items).toMatchObject([{ offset: 2, status: ItemStatus.SUCCEEDED }]);
});

test('the executor is alive at once, and ready only while its stream to Jobs stands', async () => {
  const jobs = await startFakeJobs();
  await jobs.close();
  const executor = await startTestExecutor(jobs);
  expect(await executor.get('/executor/healthcheck')).toMatchObject({ status: 200 });
  expect(await executor.get('/executor/ready')).toEqual({
    status: 503,
    body: '{"status":"not ready","problems":["intake: NO_STREAM_FROM_JOBS"]}',
  });
  await jobs.listen();
  await until(async () => (await executor.get('/executor/ready')).status === 200, 'the executor is ready');
  expect([...jobs.offers.keys()]).toContain('fibonacci');
  await jobs.close();
  await until(async () => (await executor.get('/executor/ready')).status === 503, 'it is not ready any more');
  expect(await executor.get('/executor/live')).toMatchObject({ status: 200 });
});

test('an attempt outlives the stream it came by, and its outcome is recorded', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'sleep', items: [{ n: 500 }] });
  await until(() => task.state === 'running', 'the task is running');
  jobs.endStreams();
  await allDone([task]);
  expect(task.outcomes).toMatchObject([{ ref: { attempt: 1 }, interrupted: false }]);
});

test('after a reconnection the types are offered again, and credit is granted for free slots only', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs, {
    EXECUTOR_CONCURRENCY: '2',
    EXECUTOR_THREADS: '2',
    EXECUTOR_MAX_TASKS: '4',
  });
  const tasks = [1, 2, 3].map(() => jobs.submit({ slug: 'obedient' }));
  await until(() => tasks.every(({ state }) => state === 'running'), 'three tasks are running');
  jobs.endStreams();
  await until(() => jobs.credits.some(({ stream }) => stream === 2), 'credit is granted on a second stream');
  const granted = (stream: number) =>
    jobs.credits.filter((grant) => grant.stream === stream).reduce((sum, { credit }) => sum + credit, 0);
  expect(granted(1)).toBe(4);
  expect(granted(2)).toBe(1);
  expect(jobs.registrations).toBe(2);
  await until(() => jobs.cancellationWatchers.size > 0, 'the executor watches for cancellations again');
  for (const task of tasks) {
    jobs.cancel(task);
    jobs.tellCancelled(task);
  }
});

test('an executor that Jobs refuses tries again without hurry', async () => {
  const jobs = await startFakeJobs();
  const refusedAt: number[] = [];
  jobs.before = (method) => {
    if (method !== 'receiveTasks') return;
    refusedAt.push(performance.now());
    throw new ServerError(Status.UNAVAILABLE, 'not now');
  };
  await startTestExecutor(jobs);
  const refusedForASecond = () => performance.now() - (refusedAt[0] ?? Number.POSITIVE_INFINITY) > 1_000;
  await until(() => refusedAt.length >= 4 && refusedForASecond(), 'it was refused for a second');
  // Some eight by the waits of createBackoff, whose lengths have a test of their own; hundreds without any.
  const inASecond = refusedAt.filter((at) => at - refusedAt[0]! <= 1_000);
  expect(inASecond.length).toBeLessThan(50);
  jobs.before = () => {};
  await allDone([jobs.submit({ slug: 'echo' })]);
});

test.each(['traced', 'inline-traced'])(
  'a handler (%s) and the log know the trace of the job',
  async (slug) => {
    const jobs = await startFakeJobs();
    const executor = await startTestExecutor(jobs);
    const [task, failing] = [jobs.submit({ slug }), jobs.submit({ slug: 'throw' })];
    await allDone([task]);
    expect(task.outcomes[0]?.items[0]?.resultJson).toBe(JSON.stringify(TRACE));
    const { jobId } = failing.task.ref ?? {};
    await until(() => executor.logs.some((line) => line['jobId'] === jobId), 'a failure is told');
    expect(executor.logs.find((line) => line['jobId'] === jobId)).toMatchObject({ traceparent: TRACE });
  },
);

test('leases are renewed together for as long as attempts run', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = 3_000;
  await startTestExecutor(jobs);
  const tasks = [1, 2, 3, 4].map(() => jobs.submit({ slug: 'obedient' }));
  await until(() => tasks.every(({ state }) => state === 'running'), 'all tasks are running');
  const started = performance.now();
  const before = jobs.heartbeatCalls.length;
  await until(() => jobs.heartbeatCalls.length >= before + 4, 'leases were renewed four times');
  expect(new Set(jobs.heartbeatCalls)).toEqual(new Set([4]));
  // One call each third of a lease, not four.
  const calls = jobs.heartbeatCalls.length - before;
  expect(calls).toBeLessThan(2 + (2 * (performance.now() - started)) / (jobs.leaseMs / 3));
  for (const task of tasks) jobs.cancel(task);
});

test.each(['report', 'inline-report', 'process-report'])(
  'what a handler (%s) says last about its progress is told with a heartbeat, once, and its log names the attempt',
  async (slug) => {
    const jobs = await startFakeJobs();
    jobs.leaseMs = SHORT_LEASE_MS;
    const executor = await startTestExecutor(jobs);
    const task = jobs.submit({ slug });
    await until(() => jobs.progress.at(-1)?.done === 2, 'its progress was told');
    const { jobId = 0 } = task.task.ref ?? {};
    const ref = { jobId, seq: 0, attempt: 1 };
    expect(jobs.progress.at(-1)).toEqual({ ref, done: 2, total: 4, note: 'two of four' });
    const told = jobs.progress.length;
    const begun = () => executor.logs.find(({ msg }) => msg === 'begun');
    await until(begun, 'its line was logged');
    expect(begun()).toMatchObject({ ...ref, type: slug, handler: { step: 1 } });
    const calls = jobs.heartbeatCalls.length;
    await until(() => jobs.heartbeatCalls.length > calls, 'another heartbeat was answered');
    expect(jobs.progress).toHaveLength(told);
    jobs.cancel(task);
  },
);

test('progress that a heartbeat could not tell is told by the next one', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = SHORT_LEASE_MS;
  let failed = false;
  jobs.before = (method) => {
    if (method !== 'heartbeat' || failed) return;
    failed = true;
    throw new ServerError(Status.UNAVAILABLE, 'not now');
  };
  await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'inline-report' });
  await until(() => jobs.progress.at(-1)?.done === 2, 'its progress was told');
  expect(failed).toBe(true);
  jobs.cancel(task);
});

test.each(['babble', 'inline-babble', 'process-babble'])(
  'whatever a handler (%s) says fails nothing, and its log is bounded',
  async (slug) => {
    const jobs = await startFakeJobs();
    const executor = await startTestExecutor(jobs);
    const task = jobs.submit({ slug });
    await allDone([task]);
    expect(firstItem(task.outcomes[0])?.status).toBe(ItemStatus.SUCCEEDED);
    const lines = () => executor.logs.filter(({ type, seq }) => type === slug && seq === 0);
    await until(() => lines().some(({ further }) => further === 'suppressed'), 'its last line was logged');
    expect(lines()).toHaveLength(200);
    for (const line of lines()) expect(JSON.stringify(line).length).toBeLessThan(5_000);
  },
);

test.each(['obedient', 'hang', 'loop', 'inline-obedient', 'inline-hang'])(
  'a handler (%s) is aborted when its job is cancelled, and nothing is reported',
  async (slug) => {
    const jobs = await startFakeJobs();
    jobs.leaseMs = SHORT_LEASE_MS;
    const executor = await startTestExecutor(jobs);
    const task = jobs.submit({ slug });
    await until(() => task.state === 'running', 'the task is running');
    jobs.cancel(task);
    await until(() => executor.logs.some(({ cause }) => cause === 'cancelled'), 'the attempt was aborted');
    await allDone([jobs.submit({ slug: 'echo' })]);
    expect(task.outcomes).toEqual([]);
  },
);

test('a handler is aborted as soon as Jobs tells of the cancellation, long before the next heartbeat', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = 60_000;
  const executor = await startTestExecutor(jobs);
  await until(() => jobs.cancellationWatchers.size === 1, 'the executor watches');
  const task = jobs.submit({ slug: 'obedient' });
  const other = jobs.submit({ slug: 'sleep', items: [{ n: 800 }] });
  await until(() => task.state === 'running' && other.state !== 'ready', 'both run');
  jobs.cancel(task);
  jobs.tellCancelled(task);
  // The next heartbeat would be due after 20 s.
  await until(
    () => executor.logs.some(({ cause }) => cause === 'cancelled'),
    'the attempt was aborted',
    15_000,
  );
  expect(jobs.heartbeatCalls).toEqual([]);
  await allDone([other]);
  expect(task.outcomes).toEqual([]);
});

test('cancellations are heard again after Jobs was down', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = 60_000;
  const executor = await startTestExecutor(jobs);
  await until(() => jobs.cancellationWatchers.size === 1, 'the executor watches');
  const task = jobs.submit({ slug: 'obedient' });
  await until(() => task.state === 'running', 'the task is running');
  await jobs.close();
  await jobs.listen();
  await until(() => jobs.cancellationWatchers.size === 1, 'the executor watches again');
  jobs.cancel(task);
  jobs.tellCancelled(task);
  await until(
    () => executor.logs.some(({ cause }) => cause === 'cancelled'),
    'the attempt was aborted',
    15_000,
  );
});

test('a handler is aborted when its attempt was superseded, and changes nothing', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = SHORT_LEASE_MS;
  const executor = await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'obedient' });
  await until(() => task.state === 'running', 'the task is running');
  jobs.supersede(task);
  await until(() => executor.logs.some(({ cause }) => cause === 'lost'), 'the attempt was aborted');
  expect(task.outcomes).toEqual([]);
});

test('no lease of hundreds of attempts is lost while the event loop is blocked again and again', async () => {
  const jobs = await startFakeJobs();
  const executor = await startTestExecutor(jobs, { EXECUTOR_CONCURRENCY: '256', EXECUTOR_MAX_TASKS: '256' });
  const tasks = Array.from({ length: 256 }, () => jobs.submit({ slug: 'inline-obedient' }));
  await until(() => tasks.every(({ state }) => state === 'running'), 'all are running');
  // What is counted is how often it was blocked: a machine that stands still besides has nothing to do with it.
  const [blockedMs, everyMs] = [1_500, 2_000];
  let blocked = 0;
  const blockedAtBeats: number[] = [];
  jobs.before = (method) => {
    if (method === 'heartbeat') blockedAtBeats.push(blocked);
  };
  const blocking = setInterval(() => {
    blocked += 1;
    const until = performance.now() + blockedMs;
    while (performance.now() < until);
  }, everyMs);
  onTestFinished(() => clearInterval(blocking));
  const calls = jobs.heartbeatCalls.length;
  await until(() => jobs.heartbeatCalls.length >= calls + 3, 'three more heartbeats were answered');
  const gaps = blockedAtBeats.map((times, beat) => times - (blockedAtBeats[beat - 1] ?? 0));
  expect(Math.max(...gaps) * everyMs).toBeLessThan(jobs.leaseMs);
  expect(executor.logs.filter(({ cause }) => cause !== undefined)).toEqual([]);
  clearInterval(blocking);
  for (const task of tasks) jobs.cancel(task);
});

test('an attempt aborts itself when its lease can not be renewed in time, and gives the task back', async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = 1_800;
  const executor = await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'obedient' });
  await until(() => task.state === 'running', 'the task is running');
  jobs.before = (method) => {
    if (method === 'heartbeat') throw new ServerError(Status.UNAVAILABLE, 'not now');
  };
  await until(() => executor.logs.some(({ cause }) => cause === 'lease over'), 'the attempt was aborted');
  await until(() => task.outcomes.length > 0, 'it was given back');
  expect(task.outcomes[0]).toMatchObject({ interrupted: true, notStarted: false, items: [] });
});

test('poison of every kind fails its own task only, and never delays a heartbeat', {
  timeout: 120_000,
}, async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = SHORT_LEASE_MS;
  await startTestExecutor(jobs);
  const healthy = jobs.submit({ slug: 'inline-echo' });
  const poison = [
    'throw',
    'inline-throw',
    'throw-permanently',
    'exit',
    'hog',
    'stray',
    'loop',
    'inline-hang',
  ];
  const tasks = poison.map((slug) => jobs.submit({ slug, timeoutMs: /loop|hang/.test(slug) ? 700 : 60_000 }));
  const later = jobs.submit({ slug: 'echo' });
  await until(() => [healthy, later, ...tasks].every(isDone), 'all tasks are done', 100_000);
  const errors = tasks.map(({ task, outcomes }) => [
    task.slug,
    firstItem(outcomes[0])?.status,
    firstItem(outcomes[0])?.error?.reason,
  ]);
  expect(errors).toEqual([
    ['throw', ItemStatus.RETRY, 'RangeError'],
    ['inline-throw', ItemStatus.RETRY, 'TypeError'],
    ['throw-permanently', ItemStatus.FAILED, 'PermanentError'],
    ['exit', ItemStatus.RETRY, 'HandlerExited'],
    ['hog', ItemStatus.RETRY, 'OutOfMemory'],
    ['stray', ItemStatus.RETRY, 'Error'],
    ['loop', ItemStatus.RETRY, 'Timeout'],
    ['inline-hang', ItemStatus.RETRY, 'Timeout'],
  ]);
  // Nobody lost a lease meanwhile: every outcome was that of the first attempt.
  expect(tasks.every(({ attempt }) => attempt === 1)).toBe(true);
});

test('poison in processes fails its own task only, and never delays a heartbeat', {
  timeout: 120_000,
}, async () => {
  const jobs = await startFakeJobs();
  jobs.leaseMs = SHORT_LEASE_MS;
  const executor = await startTestExecutor(jobs);
  const poison = {
    'process-throw': 'RangeError',
    'process-throw-nothing': 'Error',
    'process-exit-zero': 'HandlerExited',
    'process-kill': 'HandlerExited',
    'process-abort': 'HandlerExited',
    'process-hog': 'OutOfMemory',
    'process-leak-buffers': 'OutOfMemory',
    'process-loop': 'Timeout',
    'process-stop': 'Timeout',
    'process-flood': 'InvalidResult',
    'process-fork-hog': 'OutOfMemory',
  };
  const tasks = Object.keys(poison).map((slug) =>
    jobs.submit({ slug, timeoutMs: /loop|stop/.test(slug) ? 700 : 60_000 }),
  );
  const healthy = jobs.submit({ slug: 'sleep', items: [{ n: 3_000 }, { n: 3_000 }] });
  const later = jobs.submit({ slug: 'process-echo' });
  await until(() => [...tasks, healthy, later].every(isDone), 'all tasks are done', 100_000);
  const errors = tasks.map(({ task, outcomes }) => [task.slug, firstItem(outcomes[0])?.error?.reason]);
  expect(Object.fromEntries(errors)).toEqual(poison);
  // Nobody lost a lease meanwhile: every outcome was that of the first attempt.
  expect([...tasks, healthy, later].map(({ attempt }) => attempt)).toEqual(Array(13).fill(1));
  expect((await executor.get('/executor/ready')).status).toBe(200);
});

test.each([
  ['throw-unavailable', 'The mail server is away'],
  ['inline-throw-unavailable', 'The shop is away'],
])(
  'a service being away that a handler (%s) needs defers its attempt, with the reason',
  async (slug, message) => {
    const jobs = await startFakeJobs();
    const executor = await startTestExecutor(jobs);
    const task = jobs.submit({ slug, items: [{}, {}] });
    await allDone([task]);
    const item = { status: ItemStatus.RETRY, error: { reason: 'Unavailable', message } };
    expect(task.outcomes).toMatchObject([{ deferred: true, interrupted: false, items: [item, item] }]);
    const { body } = await executor.get('/metrics');
    expect(body).toContain(`outcomes_total{type="${slug}",outcome="deferred"`);
  },
);

test('a load is deferred while Products is away', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  const record = { name: 'n', category: 'c', price: 1, stock: 1, rating: 1, description: 'd' };
  const task = jobs.submit({ slug: 'load-products', items: [record] });
  await allDone([task]);
  const message = "Products can't be reached at the moment; try again";
  const error = { reason: 'Unavailable', message };
  expect(task.outcomes).toMatchObject([{ deferred: true, items: [{ status: ItemStatus.RETRY, error }] }]);
});

test.each([
  [Status.UNAVAILABLE, true, 'Unavailable'],
  [Status.INTERNAL, false, 'InputUnreadable'],
])('an input that Jobs does not hand out (%s) defers the attempt: %s', async (status, deferred, reason) => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  jobs.before = (method) => {
    if (method === 'readUpload') throw new ServerError(status, 'not now');
  };
  const bytes = Buffer.from('{"a":1}\n');
  const task = jobs.submit({ slug: 'echo', upload: { bytes, format: 'ndjson' }, itemCount: 1 });
  await allDone([task]);
  expect(task.outcomes).toMatchObject([
    { deferred, items: [{ status: ItemStatus.RETRY, error: { reason } }] },
  ]);
});

test('of tasks that were interrupted often one runs at a time, once the others are back at Jobs', async () => {
  const jobs = await startFakeJobs();
  const suspects = [1, 2, 3].map(() => jobs.submit({ slug: 'chatter', interruptions: SUSPECT_FROM }));
  const [first, ...others] = suspects;
  const otherIds = new Set(others.map(({ task }) => task.ref?.jobId));
  const stored = Promise.withResolvers<void>();
  jobs.before = async (method) => {
    if (method === 'acknowledgeJob') await stored.promise;
  };
  const { logs } = await startTestExecutor(jobs);
  const working = () => logs.filter(({ msg }) => msg === 'working').map(({ jobId }) => jobId);
  const deferred = () => logs.filter(({ msg }) => msg === 'attempt deferred').map(({ jobId }) => jobId);
  await until(() => deferred().length === others.length, 'the others are given back');
  expect(new Set(deferred())).toEqual(otherIds);
  const innocent = jobs.submit({ slug: 'chatter', interruptions: SUSPECT_FROM - 1 });
  await until(() => working().includes(innocent.task.ref?.jobId), 'one that was interrupted less often runs');
  expect(working()).toHaveLength(1);
  stored.resolve();
  await allDone([...suspects, innocent]);
  expect(working()).toEqual([innocent.task.ref?.jobId, first?.task.ref?.jobId]);
  for (const { outcomes } of others) {
    expect(outcomes).toMatchObject([{ deferred: true, items: [{ error: { reason: 'RunsApart' } }] }]);
  }
  const again = jobs.submit({ slug: 'chatter', interruptions: SUSPECT_FROM });
  await allDone([again]);
  expect(again.outcomes).toMatchObject([{ deferred: false }]);
});

test('a suspect that waits for others to be given back heeds its abort', async () => {
  const jobs = await startFakeJobs();
  const [first] = [1, 2].map(() => jobs.submit({ slug: 'chatter', interruptions: SUSPECT_FROM }));
  const stored = Promise.withResolvers<void>();
  jobs.before = async (method) => {
    if (method === 'acknowledgeJob') await stored.promise;
  };
  const { logs } = await startTestExecutor(jobs);
  await until(() => logs.some(({ msg }) => msg === 'attempt deferred'), 'the other one is given back');
  await until(() => jobs.cancellationWatchers.size > 0, 'it watches for cancellations');
  jobs.tellCancelled(first as FakeTask);
  await until(() => logs.some(({ msg }) => msg === 'attempt aborted'), 'the first is aborted');
  expect(logs.some(({ msg }) => msg === 'working')).toBe(false);
  stored.resolve();
});

test("an error's message reaches Jobs bounded and without its stack, which the log has", async () => {
  const jobs = await startFakeJobs();
  const executor = await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'throw' });
  await allDone([task]);
  const message = firstItem(task.outcomes[0])?.error?.message ?? '';
  expect(message).toMatch(/^too far .*…$/);
  expect(message).toHaveLength(500);
  const logged = executor.logs.find(({ msg }) => msg === 'attempt failed') as { err: { stack: string } };
  expect(logged.err.stack).toContain('poison-types.fixture.ts');
});

test('an outcome is reported until Jobs answers', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  let refusals = 0;
  jobs.before = (method) => {
    if (method !== 'acknowledgeJob' || ++refusals > 3) return;
    throw new ServerError(Status.UNAVAILABLE, 'not now');
  };
  const task = jobs.submit({ slug: 'echo' });
  await allDone([task]);
  expect(task.outcomes).toHaveLength(1);
});

test('an outcome is reported after Jobs was down, without running the task again', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  const task = jobs.submit({ slug: 'sleep', items: [{ n: 400 }] });
  await until(() => task.state === 'running', 'the task is running');
  await jobs.close();
  await jobs.listen();
  await allDone([task]);
  expect(task.outcomes).toMatchObject([{ ref: { attempt: 1 }, interrupted: false }]);
});

test('an outcome that Jobs refuses becomes a failure with the reason, and does not harm its neighbours', async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  const { record } = jobs;
  jobs.record = (outcome) => {
    if (outcome.items.some(({ resultJson }) => resultJson.includes('"bad":true'))) {
      throw new ServerError(Status.INVALID_ARGUMENT, 'no such result');
    }
    return record.call(jobs, outcome);
  };
  const bad = jobs.submit({ slug: 'inline-echo', items: [{ bad: true }] });
  const good = Array.from({ length: 5 }, () => jobs.submit({ slug: 'inline-echo' }));
  await allDone([bad, ...good]);
  expect(firstItem(bad.outcomes[0])).toMatchObject({
    status: ItemStatus.FAILED,
    error: { reason: 'OutcomeRefused', message: expect.stringContaining('no such result') },
  });
});

test('several executors share the work', async () => {
  const jobs = await startFakeJobs();
  const limits = { EXECUTOR_MAX_TASKS: '2' };
  const executors = await Promise.all([1, 2, 3].map(() => startTestExecutor(jobs, limits)));
  const granted = () => new Set(jobs.credits.map(({ stream }) => stream)).size;
  await until(() => granted() === 3, 'three executors have granted credit');
  const tasks = Array.from({ length: 30 }, () => jobs.submit({ slug: 'sleep', items: [{ n: 30 }] }));
  await allDone(tasks);
  const ids = new Set(tasks.map(({ executorId }) => executorId));
  expect(ids).toEqual(new Set(executors.map(({ executorId }) => executorId)));
  expect(tasks.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
});

/** Starts an executor to which Jobs gives many tasks, because they were quick. */
async function startWithMuchCredit(jobs: FakeJobs): Promise<void> {
  await startTestExecutor(jobs, { EXECUTOR_MAX_TASKS: '256' });
  const granted = () => jobs.credits.reduce((sum, { credit }) => sum + credit, 0);
  await until(async () => {
    await allDone(Array.from({ length: 256 }, () => jobs.submit({ slug: 'echo' })));
    return granted() - jobs.tasks.size >= 128;
  }, 'it has much credit');
}

test('what an executor can not begin goes back, and does not come again while it has no place', async () => {
  const jobs = await startFakeJobs();
  await startWithMuchCredit(jobs);
  const gate = createGate();
  const slow = Array.from({ length: 32 }, () => jobs.submit({ slug: 'gated', items: [gate.item] }));
  // Two threads, two processes and four inline: as many stay.
  await until(() => slow.filter(({ state }) => state === 'ready').length === 24, 'all but eight are back');
  await delay(3_000);
  // Once more they may be claimed, before Jobs hears that the credit is void.
  expect(Math.max(...slow.map(({ outcomes }) => outcomes.length))).toBeLessThanOrEqual(2);
  gate.open();
  await allDone(slow);
});

test('an executor that joins gets what another holds and can not begin', async () => {
  const jobs = await startFakeJobs();
  await startWithMuchCredit(jobs);
  const gate = createGate();
  const slow = Array.from({ length: 32 }, () => jobs.submit({ slug: 'gated', items: [gate.item] }));
  await until(() => slow.every(({ state }) => state === 'running'), 'it holds the slow ones, too');
  const { executorId } = await startTestExecutor(jobs);
  await until(() => slow.some((task) => task.executorId === executorId), 'the second has some of them');
  gate.open();
  await allDone(slow);
});

test('an executor that stops ends what it has begun, gives back what it has not, and takes nothing more', async () => {
  const jobs = await startFakeJobs();
  const executor = await startTestExecutor(jobs);
  const gate = createGate();
  const begun = [1, 2].map(() => jobs.submit({ slug: 'gated', items: [gate.item] }));
  await until(() => executor.logs.filter(({ msg }) => msg === 'begun').length === 2, 'two have begun');
  const waiting = [1, 2, 3].map(() => jobs.submit({ slug: 'gated', items: [gate.item] }));
  await until(
    async () => /running_attempts\{[^}]*\} 5/.test((await executor.get('/metrics')).body),
    'all are held',
  );
  const stopped = executor.stop();
  await until(() => waiting.every(({ outcomes }) => outcomes.length > 0), 'what waits is given back');
  expect(begun.some(isDone)).toBe(false);
  gate.open();
  await stopped;
  expect(begun.every(isDone)).toBe(true);
  for (const task of waiting) {
    expect(task.outcomes).toMatchObject([{ interrupted: true, notStarted: true, items: [] }]);
    expect(task.state).toBe('ready');
  }
  const late = jobs.submit({ slug: 'echo' });
  expect(late.state).toBe('ready');
});

test('20,000 one-item tasks are each recorded once', { timeout: 120_000 }, async () => {
  const jobs = await startFakeJobs();
  await startTestExecutor(jobs);
  await allDone([jobs.submit({ slug: 'fibonacci', items: [{ iterations: 40 }] })]);
  const tasks = Array.from({ length: 20_000 }, () =>
    jobs.submit({ slug: 'fibonacci', items: [{ iterations: 40 }] }),
  );
  await until(() => tasks.every(isDone), 'all tasks are done', 100_000);
  expect(tasks.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
  expect(JSON.parse(firstItem(tasks.at(-1)?.outcomes[0])?.resultJson ?? '')).toMatchObject({
    number: '102334155',
  });
});
