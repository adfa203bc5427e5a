import {
  AckStatus,
  type AttemptOutcome,
  ItemStatus,
  type LeasedTask,
  LeaseStatus,
  type ReportOutcomesRequest,
} from '@jobber/proto/jobs/v1/jobs';
import { Status } from 'nice-grpc';
import { expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { JOB, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { auth, accept, ask } = jobs;
const { pool } = jobs.database;
const member = auth.user();
const client = jobs.client();

async function take(): Promise<LeasedTask> {
  const executor = startFakeExecutor(client);
  executor.grant(1);
  await expect.poll(() => executor.tasks.length).toBe(1);
  await executor.close();
  return executor.tasks[0] as LeasedTask;
}

const acknowledge = async (...outcomes: AttemptOutcome[]) =>
  (await client.acknowledgeJob({ executorId: 'executor-1', outcomes })).statuses;

/** Nothing could be done: a service was away. */
const deferred = (task: LeasedTask, decided = 0): AttemptOutcome => ({
  ...success(task),
  deferred: true,
  items: success(task).items.map((item, index) =>
    index < decided
      ? item
      : {
          ...item,
          status: ItemStatus.RETRY,
          resultJson: '',
          error: { reason: 'Unavailable', message: 'Products is away' },
        },
  ),
});

async function history(id: number) {
  const { data } = await ask(
    member,
    'query ($id: Float!) { job(id: $id) { history { event attempt reason message detail executor } } }',
    { id },
  );
  return data.job.history;
}

/** Waits end at once. */
const hurry = () => pool.query(`update task set available_at = now() where state = 'waiting'`);
const stateOf = async (id: number) =>
  (await pool.query('select state, failures, deferrals, interruptions from task where job_id = $1', [id]))
    .rows[0];

test('a deferred attempt does not count, keeps what it has decided, and is tried again after a wait', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }]);
  const first = await take();
  expect(await acknowledge(deferred(first, 1))).toEqual([AckStatus.RECORDED]);
  expect(await stateOf(id)).toEqual({ state: 'waiting', failures: 0, deferrals: 1, interruptions: 0 });
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'IN_PROGRESS', completed: 1 });
  // A copy changes nothing.
  expect(await acknowledge(deferred(first, 1))).toEqual([AckStatus.SUPERSEDED]);
  // The type allows three attempts; these are more.
  for (let attempt = 2; attempt <= 6; attempt += 1) {
    await hurry();
    const task = await take();
    expect(task).toMatchObject({ ref: { jobId: id, attempt }, offsets: [1] });
    expect(await acknowledge(deferred(task))).toEqual([AckStatus.RECORDED]);
  }
  await hurry();
  expect(await acknowledge(success(await take()))).toEqual([AckStatus.RECORDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', completed: 2 });
  expect(await history(id)).toEqual(
    [1, 2, 4].map((times) => ({
      event: 'DEFERRED',
      attempt: times,
      reason: 'Unavailable',
      message: 'Products is away',
      detail: { times },
      executor: 'executor-1',
    })),
  );
});

test('an attempt that was deferred after its last item is finished', async () => {
  const id = await accept(member, { text: 'a' });
  const task = await take();
  expect(await acknowledge({ ...success(task), deferred: true })).toEqual([AckStatus.RECORDED]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', completed: 1 });
});

test('a late outcome is superseded, and told once in the history, however often it is sent', async () => {
  const id = await accept(member, { text: 'a' });
  const zombie = await take();
  await pool.query(`update task set lease_until = now() - interval '1 s' where job_id = $1`, [id]);
  await expect.poll(() => stateOf(id)).toMatchObject({ state: 'ready', interruptions: 1 });
  const late = await Promise.all([
    acknowledge(success(zombie, 'late'), success(zombie, 'twice')),
    acknowledge(deferred(zombie)),
    acknowledge(success(zombie)),
  ]);
  expect(new Set(late.flat())).toEqual(new Set([AckStatus.SUPERSEDED]));
  const heir = await take();
  expect(heir.ref).toMatchObject({ jobId: id, attempt: 2 });
  expect(await acknowledge(success(zombie))).toEqual([AckStatus.SUPERSEDED]);
  expect(await acknowledge(success(heir, 'right'))).toEqual([AckStatus.RECORDED]);
  // Copies of what was recorded, and attempts that never were, are no late outcomes.
  expect(await acknowledge(success(heir), { ...success(heir), ref: { ...heir.ref!, attempt: 9 } })).toEqual([
    AckStatus.SUPERSEDED,
    AckStatus.SUPERSEDED,
  ]);
  const told = (await history(id)).map(({ event, attempt }: { event: string; attempt: number }) => [
    event,
    attempt,
  ]);
  expect(told).toEqual([
    ['RESCUED', 1],
    ['SUPERSEDED', 1],
  ]);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'COMPLETED', result: 'right' });
});

test('an outcome after the cancellation is superseded, and its heartbeat says why', async () => {
  const id = await accept(member, { text: 'a' });
  const task = await take();
  await ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id });
  const beat = await client.heartbeat({ executorId: 'executor-1', refs: [task.ref!] });
  expect(beat.statuses).toEqual([LeaseStatus.CANCELLED]);
  expect(await acknowledge(success(task))).toEqual([AckStatus.SUPERSEDED]);
  const told = (await history(id)).map(({ event }: { event: string }) => event);
  expect(told).toEqual(['CANCELLED', 'SUPERSEDED']);
  expect((await ask(member, JOB, { id })).data.job).toMatchObject({ status: 'CANCELLED', completed: 0 });
});

test('outcomes over a stream are recorded as by calls, and a refusal ends the stream', async () => {
  const id = await accept(member, { text: 'a' });
  const task = await take();
  async function* requests(): AsyncGenerator<ReportOutcomesRequest> {
    yield { executorId: 'executor-1', outcomes: [success(task)] };
    yield { executorId: 'executor-1', outcomes: [success(task)] };
    yield { executorId: 'executor-1', outcomes: [{ ...success(task), ref: undefined }] };
  }
  const answers: AckStatus[][] = [];
  const reported = (async () => {
    for await (const { statuses } of client.reportOutcomes(requests())) answers.push(statuses);
  })();
  await expect(reported).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT });
  expect(answers).toEqual([[AckStatus.RECORDED], [AckStatus.SUPERSEDED]]);
  expect(await stateOf(id)).toMatchObject({ state: 'succeeded' });
});

test('a job whose last tasks are acknowledged together is counted once among those that have ended', async () => {
  const countEnded = async () => {
    const text = await (await fetch(`${jobs.origin}/metrics`)).text();
    return Number(/^jobber_jobs_ended_total\{.*"COMPLETED".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const before = await countEnded();
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  const executor = startFakeExecutor(client);
  executor.grant(2);
  await expect.poll(() => executor.tasks.filter(({ ref }) => ref?.jobId === id).length).toBe(2);
  await executor.close();
  await acknowledge(...executor.tasks.map((task) => success(task)));
  expect((await ask(member, JOB, { id })).data.job.status).toBe('COMPLETED');
  expect(await countEnded()).toBe(before + 1);
});
