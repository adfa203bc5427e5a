import { InMemoryBroker } from '@jobber/shared/broker/testing';
import { writeHint } from '@jobber/shared/hints';
import { expect, test } from 'vitest';
import { createGate, startFakeJobs, startTestExecutor, until } from '../testing/test-executor.ts';
import type { FakeJobs, FakeTask } from '../testing/test-fake-jobs.ts';

const SLOTS = { EXECUTOR_CONCURRENCY: '2', EXECUTOR_THREADS: '2', EXECUTOR_MAX_TASKS: '2' };

function send(broker: InMemoryBroker, jobs: FakeJobs, task: FakeTask): void {
  broker.inject(task.task.slug, writeHint(jobs.hintOf(task)));
}

const allAre = (tasks: readonly FakeTask[], state: FakeTask['state']) =>
  until(() => tasks.every((task) => task.state === state), `all tasks are ${state}`);

test('what hints name is started, run, recorded, and acknowledged after that', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  await startTestExecutor(jobs, {}, broker.connect());
  let release = () => {};
  const stored = new Promise<void>((resolve) => {
    release = resolve;
  });
  jobs.before = async (method) => {
    if (/acknowledge|report/i.test(method)) await stored;
  };
  const tasks = Array.from({ length: 20 }, () => jobs.submit({ slug: 'inline-echo' }));
  for (const task of tasks) send(broker, jobs, task);
  await until(() => tasks.some(({ state }) => state === 'running'), 'some run');
  expect(broker.backlog('inline-echo')).toBe(20);
  release();
  await allAre(tasks, 'done');
  await until(() => broker.backlog('inline-echo') === 0, 'all messages are acknowledged');
  expect(tasks.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
  // Hints that arrived together were asked about together.
  expect(jobs.startCalls.length).toBeLessThan(20);
});

test('doubled, late, forged and foreign messages are dropped, each kind with one line of the log', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  const executor = await startTestExecutor(jobs, {}, broker.connect());
  const task = jobs.submit({ slug: 'inline-echo' });
  for (let copies = 0; copies < 50; copies += 1) {
    send(broker, jobs, task);
    broker.inject('inline-echo', Buffer.from('not a hint'));
    broker.inject('inline-echo', Buffer.alloc(0));
    broker.inject('inline-echo', Buffer.alloc(5_000_000));
    broker.inject('inline-echo', writeHint({ jobId: 999 + copies, seq: 0, attempt: 1 }));
  }
  await until(() => broker.backlog('inline-echo') === 0, 'all messages are gone');
  await allAre([task], 'done');
  expect(task.outcomes).toHaveLength(1);
  const told = executor.logs.filter(({ msg }) => /is no hint/.test(String(msg)));
  expect(told.map(({ problem }) => problem).sort()).toEqual(['empty', 'not-json', 'oversize']);
  const { body } = await executor.get('/metrics');
  expect(body).toMatch(
    /jobber_executor_hints_total\{type="inline-echo",result="not-json",daemon="executor"\} 50/,
  );
  expect(body).toMatch(
    /jobber_executor_hints_total\{type="inline-echo",result="superseded",daemon="executor"\} 99/,
  );
});

test('a hint of a later release goes back to the broker, and those behind it are followed', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  await startTestExecutor(jobs, {}, broker.connect());
  broker.inject('inline-echo', Buffer.from('{"v":2,"shard":7}'));
  const task = jobs.submit({ slug: 'inline-echo' });
  send(broker, jobs, task);
  await allAre([task], 'done');
  await until(() => broker.backlog('inline-echo') === 1, 'only the strange one is left');
  const newer: unknown[] = [];
  const consumer = broker.connect().subscribe('inline-echo', (message) => {
    newer.push(JSON.parse(String(message.body)));
    consumer.ack(message);
  });
  consumer.grant(1);
  await until(() => newer.length > 0, 'an executor of the later release gets it');
  expect(newer).toEqual([{ v: 2, shard: 7 }]);
});

test('an executor whose slots are full holds no messages: another one that joins gets work at once', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  const first = await startTestExecutor(jobs, SLOTS, broker.connect());
  const tasks = Array.from({ length: 6 }, (_, n) =>
    jobs.submit({ slug: n % 2 === 0 ? 'obedient' : 'inline-obedient' }),
  );
  for (const task of tasks) send(broker, jobs, task);
  const runBy = (id: string) =>
    tasks.filter(({ state, executorId }) => state === 'running' && executorId === id);
  await until(() => runBy(first.executorId).length === 2, 'the first one is full');
  const second = await startTestExecutor(jobs, SLOTS, broker.connect());
  await until(() => runBy(second.executorId).length === 2, 'the second one is full');
  expect(runBy(first.executorId)).toHaveLength(2);
  for (const task of tasks) {
    jobs.cancel(task);
    jobs.tellCancelled(task);
  }
});

test('a message that names several tasks is acknowledged when all of them are stored', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  await startTestExecutor(jobs, {}, broker.connect());
  const tasks = Array.from({ length: 12 }, (_, n) =>
    jobs.submit({ slug: n === 5 ? 'inline-obedient' : 'inline-echo' }),
  );
  const [first, ...more] = tasks.map((task) => jobs.hintOf(task));
  // One of them is over already, and one stands in it twice.
  jobs.cancel(tasks[3] as FakeTask);
  if (first) broker.inject('inline-echo', writeHint(first, [...more, first]));
  const others = tasks.filter((_, n) => n !== 3 && n !== 5);
  await allAre(others, 'done');
  expect(others.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
  expect(broker.backlog('inline-echo')).toBe(1);
  const last = tasks[5] as FakeTask;
  jobs.cancel(last);
  jobs.tellCancelled(last);
  await until(() => broker.backlog('inline-echo') === 0, 'the message is acknowledged');
});

test('what a message names beyond the free slots goes to another executor', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  const first = await startTestExecutor(jobs, SLOTS, broker.connect());
  const tasks = Array.from({ length: 4 }, () => jobs.submit({ slug: 'inline-obedient' }));
  const [hint, ...more] = tasks.map((task) => jobs.hintOf(task));
  if (hint) broker.inject('inline-obedient', writeHint(hint, more));
  const runBy = (id: string) =>
    tasks.filter(({ state, executorId }) => state === 'running' && executorId === id).length;
  await until(() => runBy(first.executorId) === 2, 'the first one is full');
  const second = await startTestExecutor(jobs, SLOTS, broker.connect());
  await until(() => runBy(second.executorId) === 2, 'the second one runs the rest');
  expect(runBy(first.executorId)).toBe(2);
  for (const task of tasks) {
    jobs.cancel(task);
    jobs.tellCancelled(task);
  }
  await until(() => broker.backlog('inline-obedient') === 0, 'the message is acknowledged');
});

test('no job type is starved by another one that has more', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  await startTestExecutor(jobs, SLOTS, broker.connect());
  const many = Array.from({ length: 300 }, () => jobs.submit({ slug: 'sleep', items: [{ n: 5 }] }));
  for (const task of many) send(broker, jobs, task);
  await until(() => many.some(({ state }) => state === 'done'), 'the many are under way');
  const one = jobs.submit({ slug: 'inline-echo' });
  send(broker, jobs, one);
  await allAre([one], 'done');
  expect(many.some(({ state }) => state === 'ready')).toBe(true);
  await allAre(many, 'done');
});

test('while Jobs is away the executor is alive, not ready, keeps nothing, and recovers by itself', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  await jobs.close();
  const executor = await startTestExecutor(jobs, {}, broker.connect());
  const task = jobs.submit({ slug: 'inline-echo' });
  send(broker, jobs, task);
  expect(await executor.get('/executor/ready')).toMatchObject({
    status: 503,
    body: expect.stringContaining('JOBS_NOT_REACHED'),
  });
  expect(await executor.get('/executor/live')).toMatchObject({ status: 200 });
  await jobs.listen();
  await allAre([task], 'done');
  await until(async () => (await executor.get('/executor/ready')).status === 200, 'it is ready');
  jobs.before = () => {
    throw new Error('out of order');
  };
  const later = jobs.submit({ slug: 'inline-echo' });
  send(broker, jobs, later);
  await until(async () => (await executor.get('/executor/ready')).status === 503, 'it is not ready');
  jobs.before = () => {};
  await allAre([later], 'done');
  await until(() => broker.backlog('inline-echo') === 0, 'its message is acknowledged');
});

test('an executor whose broker can not be reached is not ready, and says why', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  const executor = await startTestExecutor(jobs, {}, broker.connect());
  await until(async () => (await executor.get('/executor/ready')).status === 200, 'it is ready');
  broker.mode = 'refusing';
  expect(await executor.get('/executor/ready')).toMatchObject({ status: 503 });
  expect(await executor.get('/executor/live')).toMatchObject({ status: 200 });
  broker.mode = 'sound';
  expect(await executor.get('/executor/ready')).toMatchObject({ status: 200 });
});

test('an executor that stops ends what it has begun, and leaves the rest to others', async () => {
  const [broker, jobs] = [new InMemoryBroker(), await startFakeJobs()];
  const executor = await startTestExecutor(jobs, SLOTS, broker.connect());
  const gate = createGate();
  const tasks = Array.from({ length: 5 }, () => jobs.submit({ slug: 'gated', items: [gate.item] }));
  for (const task of tasks) send(broker, jobs, task);
  await until(() => executor.logs.filter(({ msg }) => msg === 'begun').length === 2, 'two have begun');
  const stopped = executor.stop();
  await until(async () => (await executor.get('/executor/ready')).body.includes('stopping'), 'it stops');
  gate.open();
  await stopped;
  expect(tasks.filter(({ state }) => state === 'done')).toHaveLength(2);
  expect(tasks.filter(({ outcomes }) => outcomes.length > 0)).toHaveLength(2);
  expect(tasks.filter(({ state }) => state === 'running')).toEqual([]);
  expect(broker.backlog('gated')).toBe(3);
});
