import type { BrokerMessage } from '@jobber/shared/broker';
import { InMemoryBroker } from '@jobber/shared/broker/testing';
import { readHints } from '@jobber/shared/hints';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { ECHO } from '../testing/open-test-database.ts';
import { EXECUTE, JOB, startTestJobs } from '../testing/test-jobs.ts';

const broker = new InMemoryBroker();
const jobs = await startTestJobs({ brokerInMemory: broker.connect(), hintSeconds: 3_600 });
const replica = await startTestJobs({
  brokerInMemory: broker.connect(),
  beside: jobs,
  hintSeconds: 1,
  maxRunningPerUser: 5,
});
const alone = await startTestJobs({ brokerInMemory: broker.connect() });
const { pool } = jobs.database;
const client = jobs.client();
const member = jobs.auth.user();
const other = jobs.auth.user();
const executorId = 'executor-1';

const until = (condition: () => unknown) => vi.waitUntil(async () => await condition(), { timeout: 60_000 });
const count = async (state: string) => {
  const { rows } = await pool.query('select count(*)::int as n from task where state = $1', [state]);
  return rows[0].n as number;
};
/** At least half of the smallest window: it is filled again only below that. */
const untilAnnounced = () => until(async () => (await count('dispatched')) > 4);
const items = (n: number) => Array.from({ length: n }, (_, i) => ({ text: `${i}` }));

/** An executor that follows hints, one message at a time, as soon as they come. */
function followHints({ permits = 1 }: { permits?: number } = {}) {
  const started: number[] = [];
  const consumer = broker.connect().subscribe('echo', (message) => void follow(message));
  consumer.grant(permits);

  async function follow(message: BrokerMessage): Promise<void> {
    const read = readHints(message.body);
    if (!('hints' in read)) throw new Error(read.problem);
    for (const { jobId, seq, attempt } of read.hints) {
      const { result } = await client.startTask({ executorId, ref: { jobId, seq, attempt } });
      if (result?.$case !== 'task') continue;
      started.push(jobId);
      await client.acknowledgeJob({ executorId, outcomes: [success(result.value)] });
    }
    consumer.ack(message);
    consumer.grant(1);
  }
  return { started, close: () => consumer.close() };
}

beforeEach(() => {
  broker.mode = 'sound';
  broker.published.clear();
});

afterEach(async () => {
  broker.mode = 'sound';
  await pool.query(
    "update task set state = 'cancelled', lease_until = null where state in ('ready', 'dispatched', 'running')",
  );
  await pool.query("update job set status = 'CANCELLED', ended_at = now() where ended_at is null");
  broker.wipe();
});

test('a job is run by its hints, and nothing is left at the broker', async () => {
  const executor = followHints();
  const id = await jobs.accept(member, items(21));
  await until(async () => (await jobs.ask(member, JOB, { id })).data.job.status === 'COMPLETED');
  await until(() => broker.backlog('echo') === 0);
  expect(executor.started).toHaveLength(11);
  await executor.close();
});

test('each hint says which trace its job belongs to', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await jobs.ask(member, EXECUTE, { input: { name: 'Echo', data: items(40) } }, { traceparent });
  const executor = followHints();
  await until(() => executor.started.length === 20);
  const traces = broker.published.get('echo')?.map((body) => JSON.parse(body.toString()).traceparent);
  expect(new Set(traces)).toEqual(new Set([traceparent]));
  await executor.close();
});

test('no more hints are at the broker than are taken up soon, and another user passes by the rest', async () => {
  await jobs.accept(member, items(1_000));
  await untilAnnounced();
  const small = await jobs.accept(other, items(1));
  // Of 500 tasks; the tests before have just started some, and the window knows it.
  expect(await count('dispatched')).toBeLessThan(100);
  const executor = followHints();
  await until(() => executor.started.includes(small));
  expect(executor.started.length).toBeLessThan(150);
  await executor.close();
});

test('an urgent job of the same user passes by what is not at the broker yet', async () => {
  await jobs.accept(member, items(1_000));
  await untilAnnounced();
  const answer = await jobs.ask(
    member,
    'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id } }',
    { input: { name: 'Echo', data: items(1), priority: 100 } },
  );
  const urgent = answer.data.executeJob.id;
  const executor = followHints();
  await until(() => executor.started.includes(urgent));
  expect(executor.started.indexOf(urgent)).toBeLessThan(150);
  await executor.close();
});

test('while the broker is silent jobs are accepted at once, and when it confirms again they are run', async () => {
  broker.mode = 'silent';
  const began = performance.now();
  const ids: number[] = [];
  for (let n = 0; n < 20; n += 1) ids.push(await jobs.accept(member, items(2)));
  // Each for itself: were they to wait for the broker, it would be 4 s each.
  expect(performance.now() - began).toBeLessThan(40_000);
  await until(async () => (await count('ready')) > 0 && (await count('dispatched')) <= 8);
  broker.mode = 'sound';
  const executor = followHints();
  await until(() => new Set(executor.started).size === ids.length);
  expect(broker.published.get('echo')?.length).toBeLessThan(100);
  await executor.close();
});

test('a hint that was stored and not confirmed starts its task at most once', async () => {
  broker.mode = 'unconfirmed';
  const id = await jobs.accept(member, items(2));
  await until(() => (broker.published.get('echo')?.length ?? 0) > 1);
  broker.mode = 'sound';
  const executor = followHints({ permits: 4 });
  await until(async () => (await jobs.ask(member, JOB, { id })).data.job.status === 'COMPLETED');
  await until(() => broker.backlog('echo') === 0);
  expect(executor.started).toEqual([id]);
  await executor.close();
});

test('what is at a broker whose data is wiped is sent again, and not more of it', async () => {
  const id = await replica.accept(member, items(20));
  await until(async () => (await count('dispatched')) > 0);
  broker.wipe();
  const executor = followHints();
  await until(async () => {
    // What this replica has dispatched has an hour; the test does not.
    await pool.query(
      `update task set lease_until = least(lease_until, now() + interval '1 s') where state = 'dispatched'`,
    );
    return (await jobs.ask(member, JOB, { id })).data.job.status === 'COMPLETED';
  });
  expect(executor.started).toHaveLength(10);
  await executor.close();
});

test('an executor with the direct intake gets tasks of a Jobs that has a broker', async () => {
  const direct = startFakeExecutor(alone.client(), { executorId: 'direct' });
  direct.grant(100);
  const user = alone.auth.user();
  // Its credit takes a moment to arrive; until then tasks go to the broker.
  await until(async () => {
    await alone.accept(user, items(1));
    return direct.tasks.length > 0;
  });
  const ready = "select from task where state = 'ready'";
  await until(async () => (await alone.database.pool.query(ready)).rowCount === 0);
  broker.published.clear();
  const id = await alone.accept(user, items(20));
  await until(() => direct.tasks.filter(({ ref }) => ref?.jobId === id).length === 10);
  expect(broker.published.get('echo')).toBeUndefined();
  await direct.close();
});

test('while an executor offers the type that takes one task from each message, messages name one', async () => {
  const offer = {
    ...ECHO,
    version: 0,
    inputSchemaJson: JSON.stringify(ECHO.inputSchema),
    defaultItemJson: '',
    retry: { maxAttempts: 1, backoffMs: 0, maxBackoffMs: 0 },
    limits: { timeoutMs: 1_000, maxItems: 1, maxRunning: 0 },
  };
  const singles = async () =>
    (await pool.query('select single_hints_at from job_type')).rows[0].single_hints_at;
  await client.registerJobTypes({ executorId, types: [offer], followsMore: true });
  expect(await singles()).toBeNull();
  await client.registerJobTypes({ executorId: 'earlier', types: [offer], followsMore: false });
  const since = await singles();
  expect(since).not.toBeNull();
  await client.registerJobTypes({ executorId, types: [offer], followsMore: true });
  expect(await singles()).toEqual(since);
  const executor = followHints({ permits: 32 });
  const id = await jobs.accept(member, items(400));
  await until(async () => (await jobs.ask(member, JOB, { id })).data.job.status === 'COMPLETED');
  const messages = broker.published.get('echo')?.map((body) => JSON.parse(body.toString())) ?? [];
  expect(messages.length).toBeGreaterThanOrEqual(200);
  expect(messages.filter(({ more }) => more !== undefined)).toEqual([]);
  await executor.close();
});
